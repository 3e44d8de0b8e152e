"""The web console: pages for people over the hub's own API."""
