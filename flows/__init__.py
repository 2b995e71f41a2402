"""The order of work: which task follows which."""
