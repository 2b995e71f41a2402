"""Evidence and gates."""
