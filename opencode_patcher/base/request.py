"""What a user asks for when something is built, as plain data that every step gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_1, Line


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to build. ``ref`` is a release tag, None for the lock's; ``models_json`` replaces the pinned catalogue.

    ``with_tests`` brings upstream's tests and ours into the tree, which the binary does not need.
    """

    line: Line = OPENCODE_1
    source: str = OPENCODE_1.source
    ref: str | None = None
    latest: bool = False
    models_json: Path | None = None
    web_ui: bool = False
    discard_edits: bool = False
    wait: bool = True
    with_tests: bool = False
    patches: Path = field(default_factory=resources.patches)
    templates: Path = field(default_factory=resources.templates)
