"""Keeping tokens alive: single-use ones are used once, whatever crashes, and their successors are found again."""
