"""Pipelines of many projects in one request, beside the REST reading that stays the truth."""
