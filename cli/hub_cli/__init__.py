"""`hub`: gitlab-hub on a terminal. It speaks the hub's public HTTP API and imports nothing of the hub."""

__version__ = "0.1.0"
