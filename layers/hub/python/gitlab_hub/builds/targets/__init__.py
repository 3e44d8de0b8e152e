"""Where builds go: one file for each type of target, behind one port."""
