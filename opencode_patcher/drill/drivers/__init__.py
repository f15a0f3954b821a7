"""Drives a real OpenCode binary through a scenario: ``run``, ``serve`` and ``acp``."""
