"""The user's OpenCode: its configuration files, and what it makes of them. Read and checked, never written.

places ──> files ──> check (what is wrong in a file) ──┐
a patched binary ──> asked ──> report ─────────────────┴──> survey ──> advice (the lines to add)
"""
