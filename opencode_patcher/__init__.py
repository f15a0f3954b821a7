"""Builds OpenCode with combined models: one model, several providers, failover inside the turn.

``docs/architecture.md`` shows the rooms, their layers, and how a release tag passes through them.
"""

__version__ = "0.1.0"
