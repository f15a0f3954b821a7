"""Reads as much of TypeScript as placing a hunk needs: tokens, blocks, scopes and modules."""
