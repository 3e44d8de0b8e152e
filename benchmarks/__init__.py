"""Reproducible figures of the syncs and of cold starts; never a test."""
