"""Calls the hooks that others registered, as GitLab does."""
