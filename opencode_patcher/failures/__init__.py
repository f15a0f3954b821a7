"""What providers' failures mean: one table, read here and rendered into OpenCode, and what follows from it."""
