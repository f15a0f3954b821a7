"""What a user asks for when something is built, as plain data that every step gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_1, Line

WebUi = Literal["on", "off", "auto"]
"""Whether the web UI is embedded; ``auto``: if possible."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to build. ``ref`` is a release tag, None for the lock's; ``models_json`` replaces the newest catalogue, and
    ``locked`` takes that of the lock.

    ``web_ui_missing`` says why ``auto`` became ``off``. ``with_tests`` brings upstream's tests and ours into the tree,
    which the binary does not need. ``packages`` are dependencies to take in another version, as ``NAME=VERSION``.
    """

    line: Line = OPENCODE_1
    source: str = OPENCODE_1.source
    ref: str | None = None
    latest: bool = False
    models_json: Path | None = None
    locked: bool = False
    web_ui: WebUi = "off"
    web_ui_missing: str = ""
    discard_edits: bool = False
    wait: bool = True
    with_tests: bool = False
    packages: tuple[str, ...] = ()
    patches: Path = field(default_factory=resources.patches)
    templates: Path = field(default_factory=resources.templates)

    @property
    def embeds_web_ui(self) -> bool:
        """Whether the web UI goes in; with ``auto``, unless a step finds that it cannot."""
        return self.web_ui != "off"
