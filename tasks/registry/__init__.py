"""The model registry: the only room that talks to MLflow."""
