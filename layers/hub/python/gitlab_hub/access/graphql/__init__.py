"""Direct members of many groups and projects in one request, beside the REST reading that stays the truth."""
