"""What is kept to watch a model by."""
