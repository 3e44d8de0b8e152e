"""Access reviews: who has what, frozen at one moment, and what people decide about it."""
