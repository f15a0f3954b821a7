"""The user's OpenCode: its configuration files and providers. Read and checked, never written.

places ──> files ──> merged ──┬──> check (what is wrong), asked (what OpenCode says)
auth, environment, catalogue ─┴──> connected ──> advice (the lines to add)
"""
