"""Changing access in GitLab: planned, shown, applied, read back, written down, and undone."""
