"""A model in memory, and how it predicts."""
