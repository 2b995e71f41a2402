"""What others named and said is shown on a terminal, and never obeyed by it."""

import io
import json
import logging
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from deployments.cli import answers, summary
from deployments.cli.exit_status import run_command
from deployments.cli.logs import escape_logs, write_traceback
from deployments.cli.process import say
from deployments.cli.progress import TASKS_LOGGER, progress
from deployments.servers.local import Servers
from tasks.core.evaluation.verdict import Gate, Verdict
from tasks.core.scoring.results import Scores
from tasks.core.training.results import Trained
from tasks.registry.versions import ListedModel

# A colour, a title, the cursor moved up, a line overwritten, a line forged, the direction changed,
# markup of rich with a colour and a link, and a name that is no text.
EVIL = (
    "\x1b[31mred\x1b]0;title\x07\x1b[1A\x9b2J\rover\nafterfit: all is well\u202etfel\u2066"
    "[red][link=https://evil.example]click[/link][/red]\u2028\udcff"
)
LONG = "x" * 5_000
SERVERS = Servers("http://prefect/api", "http://prefect", "http://mlflow", True, True)
SCORES = Scores(3, f"/{EVIL}", "run-key", 1, 1, 0, 0, 1, 1.0, False, (f"column {EVIL}", LONG))
TRAINED = Trained(
    EVIL,
    3,
    "champion",
    True,
    False,
    Verdict((Gate("limits", True, 1.0, "", f"segment {EVIL} is worse."),), 5),
    3,
)
# What a command answers -> how many lines it has.
ANSWERS = {
    "train": (lambda as_json: answers.trained(TRAINED, SERVERS, as_json), 4),
    "score": (lambda as_json: answers.scored(EVIL, SCORES, SERVERS, as_json), 5),
    "models": (lambda as_json: answers.listed([ListedModel(EVIL, 1, {EVIL: 1})], as_json), 1),
    "verify": (lambda as_json: answers.verified([EVIL, EVIL], EVIL, as_json), 3),
    "promote": (lambda as_json: answers.promoted(EVIL, 1, None, as_json), 1),
    "rollback": (lambda as_json: answers.rolled_back(EVIL, 1, 2, as_json), 1),
    "down": (lambda as_json: answers.stopped([EVIL], as_json), 1),
}


def check_harmless(text, lines):
    """Check that a text is so many lines, each of which a terminal only shows, none too long."""
    assert text.endswith("\n")
    found = text.removesuffix("\n").split("\n")
    assert len(found) == lines
    for line in found:
        assert line.isprintable()
        assert len(line) <= 500


@pytest.mark.parametrize("command", ANSWERS)
def test_an_answer_is_shown_line_by_line_and_nothing_in_it_is_obeyed(command, capsys):
    answer, lines = ANSWERS[command]
    answer(False)
    check_harmless(capsys.readouterr().out, lines)


@pytest.mark.parametrize("command", ANSWERS)
def test_json_stays_json_with_every_name_as_it_is(command, capsys):
    answer, _ = ANSWERS[command]
    answer(True)
    out = capsys.readouterr().out
    assert out.isascii()
    assert EVIL in str_values(json.loads(out))


def str_values(value):
    """Return all strings in a document, keys too, one after the other."""
    if isinstance(value, dict):
        return "".join(str_values(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return "".join(map(str_values, value))
    return str(value)


@pytest.mark.parametrize("sentence", [EVIL, f"{EVIL}{LONG}", f"{LONG} {EVIL}: take another."])
def test_a_sentence_is_one_line_of_500_characters_at_most(sentence, capsys):
    assert say(sentence, 2) == 2
    err = capsys.readouterr().err
    check_harmless(err, 1)
    assert err.startswith("afterfit: ")
    assert err.rstrip().endswith(": take another.") is sentence.endswith(": take another.")


def test_an_ordinary_sentence_is_said_as_it_is(capsys):
    say("bike: 'naïve 東京 [red]' is\n no column.", 2)
    assert capsys.readouterr().err == "afterfit: bike: 'naïve 東京 [red]' is no column.\n"


def test_columns_of_a_table_are_named_harmlessly(tmp_path, capsys):
    header = EVIL.replace("\n", "").replace("\udcff", "").replace("\r", "")
    (tmp_path / "t.csv").write_text(f"{header},b\n1,2\n3,4\n", encoding="utf-8")
    assert run_command(["init", str(tmp_path / "t.csv"), "--target", "none"]) == 2
    shown = capsys.readouterr()
    check_harmless(shown.err, 1)
    assert r"\x1b[31mred" in shown.err
    assert shown.out == ""


def test_what_an_option_or_a_file_is_called_is_told_harmlessly(tmp_path, capsys):
    for arguments in (["run", f"{tmp_path}/{EVIL}.yaml"], ["models", f"--{EVIL}"], [EVIL]):
        assert run_command(arguments) == 2
        shown = capsys.readouterr()
        check_harmless(shown.err, 1)
        assert shown.out == ""


def test_the_name_of_a_task_is_shown_beside_the_bar_without_being_obeyed():
    shown = io.StringIO()
    console = Console(file=shown, width=2_000, force_terminal=True, color_system=None)
    with progress(console, is_shown=True):
        task = {"task_run_name": f"fit {EVIL}", "send_to_api": False}
        logging.getLogger(TASKS_LOGGER).info("started", extra=task)

    text = shown.getvalue()
    assert r"fit \x1b[31mred\x1b]0;title\x07" in text
    assert "[red][link=https://evil.example]click[/link][/red]" in text
    for piece in ("\x1b[31m", "\x1b]", "\x07", "\x9b", "\u202e", "afterfit: all is well\n"):
        assert piece not in text


def fail(sentence):
    raise ValueError(sentence)


def test_a_log_record_is_shown_with_its_later_lines_marked():
    stream = io.StringIO()
    logger = logging.getLogger("afterfit.test_screen")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(stream))
    for _ in range(2):
        escape_logs()

    try:
        fail(EVIL)
    except ValueError:
        logger.exception("segment %s of https://ann:hunter2@h/x", EVIL)

    first, *others = stream.getvalue().removesuffix("\n").split("\n")
    assert first.startswith(r"segment \x1b[31mred")
    assert all(line.startswith("  | ") and line.isprintable() for line in others)
    assert "hunter2" not in stream.getvalue()


def test_a_traceback_is_shown_the_same_way(capsys):
    try:
        fail(f"{EVIL} https://ann:hunter2@h/x")
    except ValueError:
        write_traceback(*sys.exc_info())

    first, *others = capsys.readouterr().err.removesuffix("\n").split("\n")
    assert first == "Traceback (most recent call last):"
    assert all(line.startswith("  | ") and line.isprintable() for line in others)
    assert "hunter2" not in "".join(others)
    assert "https://h/x" in others[-1]


def test_what_a_shell_evaluates_is_written_as_it_is(capsys):
    exports = "export A='x\ny'\nexport B=https://ann:hunter2@h/x"
    answers.exported({"A": "x\ny"}, exports, False)
    assert capsys.readouterr().out == f"{exports}\n"


def test_a_summary_keeps_its_indent():
    scores = replace(SCORES, output="/scores", notes=("a note",))
    assert summary.score_lines("bike", scores)[-1] == "  a note"
