"""The demonstration: a shop's day, played by stand-ins of its partners."""
