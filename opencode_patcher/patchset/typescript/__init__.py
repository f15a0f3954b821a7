"""Reads TypeScript as far as placing a hunk needs it: tokens, blocks, scopes and modules."""
