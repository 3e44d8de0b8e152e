"""GitLab's REST v4 answers over the company's state."""
