"""gitlab-hub: access, pipelines and builds of a GitLab, synced into one's own AWS account."""

__version__ = "0.1.0"
