"""Hints of webhooks: one thing read again, at once."""
