"""Keeps up with new OpenCode releases: checks the patches, fixes what does not fit, updates the lock."""
