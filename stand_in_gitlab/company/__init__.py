"""The made-up company: its people, groups, projects, memberships and tokens."""
