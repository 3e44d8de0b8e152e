"""The change feed: what became of accounts, groups, projects, shares and grants, one entry per difference."""
