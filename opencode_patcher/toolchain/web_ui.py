"""Decides whether the web UI is embedded: some of its dependencies do not come from the npm registry."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from opencode_patcher.base import documents, files
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.upstream.workspace import NoWebUIError

T = TypeVar("T")

TRY_AGAIN_SECONDS = 24 * 60 * 60.0
WITHOUT = "--web-ui off"
"""The option that leaves the web UI out."""


class MissingError(ToolchainError):
    """A dependency of the web UI is not available."""


def embedded_if_possible(request: Request, store: Store, reporter: Reporter, attempt: Callable[[Request], T]) -> T:
    """The result of ``attempt`` for the request with the web UI on or off. ``auto`` tries it with the web UI first, and
    without it when a dependency is missing (then not again for a day) or the release has no web UI.

    Raises what ``attempt`` raises, MissingError only when the web UI was asked for.
    """
    if request.web_ui != "auto":
        return attempt(request)
    without = replace(request, web_ui="off")
    note = store.toolchains / "no-web-ui.json"
    if not request.line.web_ui or _is_fresh(note):
        return attempt(without)
    try:
        return attempt(replace(request, web_ui="on"))
    except NoWebUIError:
        return attempt(without)
    except MissingError as error:
        reporter.warn(f"The web UI is left out. {error.what}\n{error.why}\nTo insist on it: --web-ui on")
        made = attempt(without)
        # Only now: if the registry fails altogether, that says nothing about the web UI.
        files.write_json(note, {"at": time.time()})
        return made


def _is_fresh(note: Path) -> bool:
    try:
        said = documents.read(note, dict[str, float])
    except documents.DocumentError:
        return False
    return 0 <= time.time() - said.get("at", 0.0) < TRY_AGAIN_SECONDS
