"""Accounts from GitLab's lists beside `/users` and the members."""
