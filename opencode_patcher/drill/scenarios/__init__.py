"""The scenarios of the drill, as plain data."""
