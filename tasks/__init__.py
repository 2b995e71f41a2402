"""The tasks: one verb each."""
