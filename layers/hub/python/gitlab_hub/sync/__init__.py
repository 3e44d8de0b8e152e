"""The engine that every sync stands on: it knows runs, scopes and rows, and no feature."""
