"""Training: the table, the candidates, their pipeline, and the key that identifies all of it."""
