"""What is stored with a model so that it can be monitored later."""
