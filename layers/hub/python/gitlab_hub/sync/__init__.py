"""The engine both syncs stand on: it knows runs, scopes and rows, and no feature."""
