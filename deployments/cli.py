"""The `afterfit` command."""


def main() -> None:
    """Run the command line."""
