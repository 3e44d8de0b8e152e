"""Receiving webhooks: verified before anything else."""
