"""Connecting a GitLab: verification, credentials, and the integration they belong to."""
