"""Groups and projects: how GitLab lists them, what is kept of them, and when one is gone."""
