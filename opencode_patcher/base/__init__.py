"""What all other packages use: errors, processes, files, the store, git, progress. Imports none of them."""
