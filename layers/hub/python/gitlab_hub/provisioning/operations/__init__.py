"""What a plan may ask for: a module per kind of thing that is changed, and the table of them all."""
