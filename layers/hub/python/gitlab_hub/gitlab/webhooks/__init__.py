"""What GitLab's webhooks say: bodies read into one event."""
