"""The lines that a user may add to opencode.json. Nothing here writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opencode_patcher.configuration.check import COMBINED
from opencode_patcher.configuration.connected import Connected
from opencode_patcher.models.grouping import Group, Member

_MEANS = ("login", "key", "environment", "configuration", "free")
"""What is paid by the month comes before what is paid by use; ``free`` models are limited most."""


def priority(connected: Sequence[Connected], groups: Sequence[Group]) -> tuple[str, ...]:
    """An order for ``provider_priority``: logins first, which as a rule are subscriptions, then keys; free ones last.

    Among keys, a provider with fewer models comes first: that is the vendor itself, and the one with hundreds a router
    that passes requests on. Only providers that stand behind a combined model are in it.
    """
    useful = {member.provider_id for group in groups for member in group.members}

    def rank(provider: Connected) -> tuple[int, int, str]:
        paid = "key" if provider.means in ("environment", "configuration") else provider.means
        return (_MEANS.index(paid), len(provider.offers), provider.id)

    return tuple(provider.id for provider in sorted(connected, key=rank) if provider.id in useful)


@dataclass(frozen=True, kw_only=True)
class Advice:
    """``settings`` are to be added at the top level of the configuration; empty when nothing is missing."""

    settings: Mapping[str, Any]

    def lines(self, *, whole: bool) -> tuple[str, ...]:
        """The settings as lines of JSON: to stand behind a file's first brace, or with ``whole`` as a file of its own."""
        last = len(self.settings) - 1
        pairs = [
            f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" + ("," if not whole or index < last else "")
            for index, (key, value) in enumerate(self.settings.items())
        ]
        return ("{", *pairs, "}") if whole else tuple(pairs)


def advise(config: Mapping[str, Any], connected: Sequence[Connected], groups: Sequence[Group]) -> Advice:
    """What to add to the merged ``config``: an order of providers unless the user has one, and the combined form of
    the user's model. Valid without either; with no group there is nothing to add.
    """
    settings: dict[str, Any] = {}
    model = config.get("model")
    if isinstance(model, str) and not model.startswith(f"{COMBINED}/"):
        group = next((group for group in groups for member in group.members if _name(member) == model), None)
        if group:
            settings["model"] = f"{COMBINED}/{group.id}"
    if groups and not config.get("provider_priority"):
        settings["provider_priority"] = list(priority(connected, groups))
    return Advice(settings=settings)


def _name(member: Member) -> str:
    return f"{member.provider_id}/{member.model_id}"
