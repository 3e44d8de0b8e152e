"""Access as code: who is to have what, and how that differs from what is so."""
