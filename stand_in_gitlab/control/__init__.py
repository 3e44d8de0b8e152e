"""What tests may ask of the stand-in: faults, limits, truth, time and changes."""
