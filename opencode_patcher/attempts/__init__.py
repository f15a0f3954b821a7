"""The log of a patched OpenCode's requests to providers: reading it, and adding it up."""
