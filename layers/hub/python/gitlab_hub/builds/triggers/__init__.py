"""Triggers: which events of GitLab build what."""
