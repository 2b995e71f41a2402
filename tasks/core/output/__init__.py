"""A committed output: parts, manifest, quarantine."""
