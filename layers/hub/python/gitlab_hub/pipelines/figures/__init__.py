"""Figures: what days of pipelines and jobs add up to, kept up to date by the sync, and the routes that show them."""
