"""The lines that a user may add to combined.json. Nothing here writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencode_patcher.configuration.check import COMBINED
from opencode_patcher.configuration.files import ConfigFile
from opencode_patcher.configuration.report import Report

SCHEMA_NAME = "combined.schema.json"
"""The file beside combined.json for what ``config --schema`` prints."""


def priority(report: Report) -> tuple[str, ...]:
    """An order for ``provider_priority``: logins first, which are usually subscriptions, then keys; free ones last.

    Among keys, a provider with fewer models comes first: that is usually the vendor itself, and one with hundreds of
    models is a router. Only providers of a combined model are included.
    """
    useful = {provider for model in report.models for provider in model.providers}
    rank = {"oauth": 0, "free": 2}
    order = sorted(report.providers, key=lambda one: (rank.get(one.login, 1), one.models, one.id))
    return tuple(provider.id for provider in order if provider.id in useful)


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """An existing value at ``line`` (from 1) of ``file`` that would be better as ``value``."""

    key: str
    value: str | Sequence[str]
    file: str
    line: int | None


@dataclass(frozen=True, kw_only=True)
class Advice:
    """``add`` is to be added at the top level of combined.json; empty when nothing is missing."""

    add: Mapping[str, Any]
    changes: tuple[Replacement, ...]

    def lines(self, *, whole: bool) -> tuple[str, ...]:
        """What to add as lines of JSON: to insert after a file's first brace, or with ``whole`` as a complete file."""
        last = len(self.add) - 1
        pairs = [
            f"  {as_json(key, value)}" + ("," if not whole or index < last else "")
            for index, (key, value) in enumerate(self.add.items())
        ]
        return ("{", *pairs, "}") if whole else tuple(pairs)


def as_json(key: str, value: object) -> str:
    """One member of a JSON object."""
    return f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"


def advise(files: Sequence[ConfigFile], report: Report, target: Path | None = None) -> Advice:
    """What to add to ``target``, the user's combined.json, or to change where the key already exists: an order of
    providers, unless the user has one, and the model, if there is a combined one for it. Without any combined model,
    nothing.
    """
    wanted: dict[str, str | Sequence[str]] = {}
    chosen = report.setting("model")
    same = (model for model in report.models for member in model.members if chosen and member.key == chosen.value)
    if model := next((model for model in same if not model.own), None):
        wanted["model"] = f"{COMBINED}/{model.id}"
    if report.models and not report.setting("provider_priority"):
        wanted["provider_priority"] = list(priority(report))
    there = {key: file for file in files if file.data for key in wanted if key in file.data}
    changed = {key: file for key, file in there.items() if not _loses(file, target)}
    added = {key: value for key, value in wanted.items() if key not in changed}
    new = target and not any(file.name == str(target) and file.text.strip() for file in files)
    return Advice(
        add={**({"$schema": f"./{SCHEMA_NAME}"} if added and new else {}), **added},
        changes=tuple(
            Replacement(key=key, value=wanted[key], file=file.name, line=file.line_of((key,)))
            for key, file in changed.items()
        ),
    )


def _loses(file: ConfigFile, target: Path | None) -> bool:
    """Whether what ``target`` says comes after this file: it is in the same directory, and shared with others."""
    return target is not None and not file.own and Path(file.name).parent == target.parent
