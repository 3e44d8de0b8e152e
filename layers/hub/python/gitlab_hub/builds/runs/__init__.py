"""Builds: from an event that triggers one to its last commit status."""
