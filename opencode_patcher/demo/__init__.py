"""The demo: the whole pipeline and a few drill scenarios on a small upstream that ships with the tool.

``upstream/`` has the small upstream's files, ``models.json`` its catalogue of models. It needs no keys, and only the
package registries.
"""

from opencode_patcher.demo.run import STORE, Demonstration, Episode, outcome, request, watch

__all__ = ["STORE", "Demonstration", "Episode", "outcome", "request", "watch"]
