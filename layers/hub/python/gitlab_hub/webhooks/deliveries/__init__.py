"""Deliveries: kept, queued, worked off, replayed."""
