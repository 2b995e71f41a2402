"""The spec, its form only."""
