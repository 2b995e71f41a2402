"""Models fitted elsewhere: opened in a process of their own, and asked for their own answer."""
