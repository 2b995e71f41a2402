"""Tables: sources, columns, pieces."""
