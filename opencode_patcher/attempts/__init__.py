"""What a patched OpenCode has recorded of its requests to providers: reading it, and adding it up."""
