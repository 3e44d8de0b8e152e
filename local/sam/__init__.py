"""Proving the bundle under `sam local`, where a Docker Engine is."""
