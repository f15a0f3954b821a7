"""The demo: the whole pipeline and a few drill scenarios on a small upstream that ships with the tool.

``upstream/`` has the files of the small OpenCode 1, ``upstream-2/`` those of the small OpenCode 2, ``models.json`` the
catalogue of models of both. They need no keys, and only the package registries.
"""

from opencode_patcher.demo.run import STORE, Demonstration, Episode, outcome, request, watch

__all__ = ["STORE", "Demonstration", "Episode", "outcome", "request", "watch"]
