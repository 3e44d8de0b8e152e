"""Pipelines and jobs as functions of time."""
