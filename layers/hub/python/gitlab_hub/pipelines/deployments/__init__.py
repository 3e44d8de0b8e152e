"""Deployments and environments: read with few requests, and what changes in production came to."""
