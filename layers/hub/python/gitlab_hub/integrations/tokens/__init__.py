"""Tokens of GitLab: refreshed, rotated, revoked, watched."""
