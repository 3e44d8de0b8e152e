"""The tokens and keys that reach the GitLab: read once a day, and judged whenever somebody looks."""
