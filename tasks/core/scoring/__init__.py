"""Scoring runs."""
