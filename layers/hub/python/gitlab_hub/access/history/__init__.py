"""The history of access: one snapshot for each day, and the files for auditors that are made of them."""
