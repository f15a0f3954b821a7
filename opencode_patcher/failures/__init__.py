"""What providers' failures mean, and what happens then: one table, read here and rendered into OpenCode."""
