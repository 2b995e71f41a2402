"""Benchmarks: each measure is a ratio against a peer, taken in one run on one machine."""
