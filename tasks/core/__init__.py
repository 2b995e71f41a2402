"""The core: pure functions and frozen dataclasses that know no framework."""
