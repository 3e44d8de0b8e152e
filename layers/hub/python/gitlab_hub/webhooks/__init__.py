"""Webhooks: who sent this, is it new, what does it set off; and the hooks themselves: registered, watched, repaired."""
