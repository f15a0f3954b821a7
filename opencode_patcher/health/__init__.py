"""Which provider a patched OpenCode avoids, why, and until when: the file that all of its processes share."""
