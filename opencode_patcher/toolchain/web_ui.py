"""Decides whether the web UI is embedded: some of its dependencies do not come from the npm registry."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from opencode_patcher.base import documents, files
from opencode_patcher.base.errors import BuildError, PatcherError, ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.base.text import shown
from opencode_patcher.toolchain import npm_registry, npm_settings
from opencode_patcher.upstream.workspace import NoWebUIError

T = TypeVar("T")

TRY_AGAIN_SECONDS = 24 * 60 * 60.0
PATIENCE_SECONDS = 5.0
"""How long another host may take to answer before the web UI is left out."""
WITHOUT = "--web-ui off"
"""The option that leaves the web UI out."""

_GITHUB = re.compile(r"(?:github:)?([\w.-]+/[\w.-]+)(?:#(.+))?")


class MissingError(ToolchainError):
    """A dependency of the web UI is not available."""


class FailedError(BuildError):
    """The web UI could not be built."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What was found the last time: why the web UI could not be embedded, "" if it could."""

    missing: str


def embedded_if_possible(request: Request, store: Store, reporter: Reporter, attempt: Callable[[Request], T]) -> T:
    """The result of ``attempt`` for the request, once it is decided whether the web UI is embedded.

    ``auto`` embeds it unless the release has none, a dependency is not available or its build fails; in the last two
    cases the request says why it is missing. A dependency that is not available is not looked for again for a day.
    Raises what ``attempt`` raises; MissingError and FailedError only if the web UI was asked for.
    """
    if request.web_ui != "auto":
        return attempt(request)
    without = replace(request, web_ui="off")
    if not request.line.web_ui:
        return attempt(without)
    note = store.toolchains / "web-ui.json"
    seen = _recall(note)
    if seen and seen.missing:
        return attempt(replace(without, web_ui_missing=seen.missing))
    try:
        # Everything was available the last time, so this is not checked again.
        made = attempt(replace(request, web_ui="on") if seen else request)
        missing, remember = "", seen is None
    except NoWebUIError:
        return attempt(without)
    except (MissingError, FailedError) as error:
        missing = reason(error)
        remember = isinstance(error, MissingError)
        reporter.warn(f"The web UI is left out. {missing} To insist on it: --web-ui on")
        made = attempt(replace(without, web_ui_missing=missing))
    # Only now: if the whole registry fails, that says nothing about the web UI.
    if remember:
        files.write_json(note, {"missing": missing})
    return made


def _recall(note: Path) -> _Seen | None:
    if not files.is_recent(note, TRY_AGAIN_SECONDS):
        return None
    try:
        return documents.read(note, _Seen)
    except documents.DocumentError:
        return None


def reason(error: PatcherError) -> str:
    """What an error says, in one line: of a program's output, the last line that names an error."""
    lines = [line.strip() for line in error.why.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("error:")] or lines[:1]
    return shown(" ".join([error.what, *said[-1:]]))


def require_reachable(elsewhere: Mapping[str, str]) -> None:
    """Raises MissingError when a host from which dependencies of the web UI come does not answer at once.

    ``elsewhere`` maps such dependencies to what their package.json asks for (``Workspace.elsewhere``). What is not an
    address or a repository on GitHub is not asked for: the installation will tell.
    """
    settings = npm_settings.read_settings()
    for name, wanted in elsewhere.items():
        url = address(wanted)
        if url is None:
            continue
        try:
            opener = npm_registry.opener(settings)
            opener.open(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE_SECONDS).close()
        except (OSError, ValueError, http.client.HTTPException) as error:
            why: object = error
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            elif isinstance(error, urllib.error.URLError):
                why = error.reason
            raise MissingError(
                f"It needs {name}, which is not available from {urlsplit(url).hostname}.",
                why=f"{why}.",
                next_step=f"Build without it: opencode-patcher build {WITHOUT}",
            ) from error


def address(wanted: str) -> str | None:
    """Where bun downloads a dependency from that is not in a registry; None if that is not known.

    Source: bun's documentation, "Non-npm dependencies". It fetches repositories on GitHub through GitHub's API.
    """
    if wanted.startswith(("https://", "http://")):
        return wanted
    if wanted.startswith(("git+https://", "git+http://")):
        return wanted.removeprefix("git+").partition("#")[0]
    if found := _GITHUB.fullmatch(wanted):
        return f"https://api.github.com/repos/{found[1].removesuffix('.git')}/tarball/{found[2] or ''}"
    return None
