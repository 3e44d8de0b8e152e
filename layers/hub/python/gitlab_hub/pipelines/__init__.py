"""Pipelines and jobs: a copy of what GitLab has that misses nothing, and the routes that read it back."""
