"""Hooks looked after for the user: registered, watched, repaired, rotated, removed, and their lost deliveries found."""
