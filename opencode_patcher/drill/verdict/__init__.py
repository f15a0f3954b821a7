"""What happened in a run, and the verdict on it. Pure."""
