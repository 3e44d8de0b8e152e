"""Access by the minute: asked for, approved, given, and taken back by the hub when its time is over."""
