"""Windows of time, and the names they give to files."""
