"""What every room stands on: errors, processes, files, the store, git, progress. Knows no other room."""
