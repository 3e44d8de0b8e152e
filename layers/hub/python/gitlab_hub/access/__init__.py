"""Access: which accounts, groups and projects a GitLab has, and who was given what in them."""
