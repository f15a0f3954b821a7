"""The demonstration: the whole pipeline and a few scenarios of the drill on a small upstream that ships with the tool.

``upstream/`` holds the small upstream's files, ``models.json`` its catalogue of models. It needs no keys and nothing
but the package registries.
"""

from opencode_patcher.demo.run import STORE, Demonstration, Episode, outcome, request, watch

__all__ = ["STORE", "Demonstration", "Episode", "outcome", "request", "watch"]
