"""Effective access: what memberships, ancestors and invited groups add up to."""
