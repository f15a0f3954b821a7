"""The workflows that test, watch upstream and publish: rendered from ``templates/ci``, for this project and forks."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import UsageError
from opencode_patcher.patchset.render import render_file

DIRECTORY = ".github/workflows"
NAMES = ("ci.yml", "release.yml", "watch.yml")
OWN_CRON = "17 5 * * *"
"""When this project looks for a release: daily, off the full hour, at which GitHub is busy."""

_FIELD = r"(?:\*|\d+(?:-\d+)?)(?:/\d+)?"
_CRON = re.compile(rf"{_FIELD}(?:,{_FIELD})*(?: {_FIELD}(?:,{_FIELD})*){{4}}")


def workflows(templates: Path, *, cron: str, branch: str) -> dict[str, str]:
    """The text of each workflow by its file name.

    ``cron`` is the schedule in five fields, in UTC; ``branch`` the one whose pushes are tested. Raises UsageError when
    one of them cannot be what it says.
    """
    if not _CRON.fullmatch(cron):
        raise UsageError(
            f"'{cron}' is no schedule.",
            why="It has five fields of numbers: minute, hour, day, month, weekday.",
            next_step=f"Try: opencode-patcher ci init --cron '{OWN_CRON}'",
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", branch):
        raise UsageError(f"'{branch}' is no name of a branch.")
    values = {**pins(templates), "cron": cron, "branch": branch}
    return {
        name: render_file(f"ci/{name}.j2", (templates / "ci" / f"{name}.j2").read_text(encoding="utf-8"), values)
        for name in NAMES
    }


def pins(templates: Path) -> Mapping[str, str]:
    """The commit and version of each action."""
    found = tomllib.loads((templates / "ci" / "actions.toml").read_text(encoding="utf-8"))
    return {str(name): str(pin) for name, pin in found.items()}


def spread_cron(name: str) -> str:
    """A daily schedule whose minute depends on ``name``, so that forks do not all ask at the same time."""
    number = int(hashlib.sha256(name.encode("utf-8")).hexdigest()[:8], 16)
    return f"{number % 60} {number // 60 % 24} * * *"


def write(root: Path, texts: Mapping[str, str], *, replace: bool) -> tuple[Path, ...]:
    """Write the workflows into the repository at ``root``, and return the files that have changed.

    Raises UsageError when ``root`` is no repository, or a file that differs is there and ``replace`` is False; then
    nothing is written.
    """
    if not (root / ".git").exists():
        raise UsageError(
            f"{root} is no repository.",
            why="The workflows belong into the root of a fork of opencode-patcher.",
            next_step="Name it: opencode-patcher ci init DIRECTORY",
        )
    differing = {
        path: text
        for name, text in texts.items()
        if not (path := root / DIRECTORY / name).is_file() or path.read_text(encoding="utf-8") != text
    }
    if (there := [path for path in differing if path.exists()]) and not replace:
        raise UsageError(
            f"{there[0]} is there already, and differs.",
            next_step="To replace it: opencode-patcher ci init --replace",
        )
    for path, text in differing.items():
        files.write_text(path, text)
    return tuple(differing)
