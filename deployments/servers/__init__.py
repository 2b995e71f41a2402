"""The embedded servers, and those that a person has named."""
