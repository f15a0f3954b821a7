"""What was seen of a run, and the verdict on it. Pure."""
