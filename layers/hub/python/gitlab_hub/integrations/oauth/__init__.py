"""Connecting through an OAuth application: somebody authorizes it in a browser, the hub keeps the pair of tokens."""
