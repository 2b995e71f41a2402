"""Killing a scoring command at any moment costs time, never data."""

import random
import signal
import time

import pytest

from flows.scoring import score_batch

SEED = 20
OTHER = 100_000_000  # where the ids of a second source begin


def _again(laws, model, source, output, expected):
    """Score the same once more, here, and hold that it ends with the same content.

    Return the result of the run, which says how many rows it kept.
    """
    done = score_batch(model, str(source.path), str(output), replace=True)
    laws.alone(output, source.ids)
    assert laws.parts_of(output) == expected
    return done


def test_after_a_kill_at_nine_tenths_the_same_command_redoes_at_most_an_eighth(
    slow_champion, make_source, start, laws, reference, tmp_path
):
    """Both attempts together score at most 12 % more rows than there are.

    The earlier output stands meanwhile.
    """
    source, output = make_source(20), tmp_path / "out"
    score_batch(slow_champion, str(make_source(0.01, OTHER).path), str(output))
    laws.remember(output)
    run = start(slow_champion, source.path, output)
    assert run.await_records(18)
    run.process.kill()
    run.wait()
    run.assert_gone()
    laws.unchanged(output)
    done = _again(laws, slow_champion, source, output, reference(slow_champion, source))
    assert not done.reused
    assert 0.88 * len(source.ids) <= done.rows_reused < len(source.ids)


@pytest.mark.parametrize(
    ("number", "more", "word"),
    [
        (signal.SIGINT, (), "Interrupted"),
        (signal.SIGTERM, (), "Terminated"),
        pytest.param(signal.SIGINT, ("--workers", "2"), "Interrupted", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, ("--workers", "2"), "Terminated", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_is_out_soon_says_so_and_keeps_what_is_done(
    slow_champion, make_source, start, laws, reference, tmp_path, number, more, word
):
    """It ends within 30 s with status 130, one sentence and no process left.

    Its finished parts are reused.
    """
    source, output = make_source(8), tmp_path / "out"
    run = start(slow_champion, source.path, output, *more)
    assert run.await_records(2)
    run.process.send_signal(number)
    sent = time.monotonic()
    laws.failed(run.wait(), word, "run the same command again", status=130)
    assert time.monotonic() - sent < 30
    run.assert_gone()
    laws.unchanged(output)
    done = _again(laws, slow_champion, source, output, reference(slow_champion, source))
    assert done.rows_reused >= 2 * len(source.ids) / 8


@pytest.mark.parametrize("rounds", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_a_kill_in_the_middle_of_the_commit_leaves_the_old_or_the_new_output_whole(
    champion, make_source, start, laws, reference, tmp_path, rounds
):
    """The kill comes just before, during or just after the exchange of the outputs.

    The manifest stands in the staging by then.
    """
    chance = random.Random(SEED)  # noqa: S311 - nobody is to be surprised but us
    now, then, output = make_source(2), make_source(2, OTHER), tmp_path / "out"
    score_batch(champion, str(now.path), str(output))
    for _ in range(rounds):
        run = start(champion, then.path, output)
        run.await_file("*/parts/_manifest.json")
        time.sleep(chance.uniform(0, 0.02))
        run.process.kill()
        run.wait()
        run.assert_gone()
        laws.whole(output, now.ids, then.ids)
        done = _again(laws, champion, then, output, reference(champion, then))
        assert done.rows_reused == len(then.ids)
        now, then = then, now
