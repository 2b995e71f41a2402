"""The commands with their options, and how little it takes to list them."""

import subprocess
import sys

import pytest

from deployments.cli.app import make_app

LIBRARIES = {"prefect", "mlflow", "sklearn", "pandas", "pyarrow", "distributed", "fsspec"}
OUTPUT = "--json --verbose"
COMPUTE = f"{OUTPUT} --workers --cluster"
SPEC = f"{COMPUTE} --set"
# Command -> its arguments and options, in the order in which --help lists them.
COMMANDS = {
    "promote": f"MODEL VERSION --force/--no-force {OUTPUT}",
    "rollback": f"MODEL {OUTPUT}",
    "models": OUTPUT,
    "score": f"MODEL SOURCE OUTPUT --replace/--no-replace --max-bad-rows {COMPUTE}",
    "verify": f"OUTPUT {OUTPUT}",
    "backfill": f"SPEC --from --to --only --dry-run --at-once {SPEC}",
    "up": f"--private/--no-private {OUTPUT}",
    "down": OUTPUT,
    "status": OUTPUT,
    "env": OUTPUT,
    "open": OUTPUT,
    "demo": COMPUTE,
    "run": f"SPEC --retrain/--no-retrain {SPEC}",
    "train": f"SPEC --retrain/--no-retrain {SPEC}",
    "init": f"TABLE --target --output {OUTPUT}",
    "register": f"MODEL SPEC {SPEC}",
}


def arguments_of(command):
    """List the arguments of a command in capitals, and its options."""
    for argument in make_app()[command].assemble_argument_collection():
        if argument.index is not None:
            yield argument.name.removeprefix("--").upper()
        elif argument.names != ("*",):  # which stands for a group of options
            yield "/".join(argument.names)


def test_the_commands_are_these():
    names = list(make_app())
    commands = [name for name in names if not name.startswith("-")]
    assert commands == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_these_arguments_and_options(command):
    arguments = " ".join(arguments_of(command))
    assert arguments == COMMANDS[command]


@pytest.mark.parametrize("tokens", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_imports_no_library(tmp_path, tokens):
    """Help lists the commands, or the options of one, without what only work needs."""
    code = (
        "import sys; from deployments.cli.app import make_app; "
        f"make_app()({tokens}, result_action='return_value'); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ("rollback" if tokens == ["--help"] else "--verbose") in done.stdout
    assert not LIBRARIES & set(done.stderr.split())
