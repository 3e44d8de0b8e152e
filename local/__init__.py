"""Everything that runs the bundle on a laptop; never deployed."""
