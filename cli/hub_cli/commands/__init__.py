"""The commands, a module for each subject; `add_to` of a module puts its commands into the program."""
