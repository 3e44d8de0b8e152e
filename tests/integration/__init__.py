"""Tests of what the hub speaks to."""
