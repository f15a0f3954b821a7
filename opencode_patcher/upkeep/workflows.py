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
"""When this project looks for a release: daily, but not on the hour, when GitHub is busy."""

OWN_BRANCH = "main"

_FIELD = r"(?:\*|\d+(?:-\d+)?)(?:/\d+)?"
_CRON = re.compile(rf"{_FIELD}(?:,{_FIELD})*(?: {_FIELD}(?:,{_FIELD})*){{4}}")


def workflows(templates: Path, *, cron: str, branch: str) -> dict[str, str]:
    """The text of each workflow by its file name.

    ``cron`` is the schedule in five fields, in UTC; ``branch`` is the one whose pushes are tested. Raises UsageError
    when either is malformed.
    """
    if not _CRON.fullmatch(cron):
        raise UsageError(
            f"'{cron}' is not a schedule.",
            why="A schedule has five numeric fields: minute, hour, day, month, weekday.",
            next_step=f"Try: opencode-patcher ci init --cron '{OWN_CRON}'",
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", branch):
        raise UsageError(f"'{branch}' is not the name of a branch.")
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
    """A daily schedule whose minute depends on ``name``, so that forks do not all run at the same time."""
    number = int(hashlib.sha256(name.encode("utf-8")).hexdigest()[:8], 16)
    return f"{number % 60} {number // 60 % 24} * * *"


def write(root: Path, templates: Path, texts: Mapping[str, str], *, replace: bool) -> tuple[Path, ...]:
    """Write the workflows into the repository at ``root``, and return the files that have changed.

    Generated workflows that were not edited, such as those that come with a clone, are replaced. Raises UsageError when
    ``root`` is not a repository, or has an edited one and ``replace`` is False; then nothing is written.
    """
    if not (root / ".git").exists():
        raise UsageError(
            f"{root} is not a repository.",
            why="The workflows belong in the root of a fork of opencode-patcher.",
            next_step="Name it: opencode-patcher ci init DIRECTORY",
        )
    there = {name: path.read_text(encoding="utf-8") for name in texts if (path := root / DIRECTORY / name).is_file()}
    differing = {root / DIRECTORY / name: text for name, text in texts.items() if there.get(name) != text}
    edited = [name for name in there if there[name] != texts[name] and not _is_generated(name, there[name], templates)]
    if edited and not replace:
        raise UsageError(
            f"{root / DIRECTORY / edited[0]} is already there, and was edited.",
            next_step="To replace it: opencode-patcher ci init --replace",
        )
    for path, text in differing.items():
        files.write_text(path, text)
    return tuple(differing)


def _is_generated(name: str, text: str, templates: Path) -> bool:
    """Whether a workflow is the template's output for some schedule and branch."""
    cron = re.search(r'^ +- cron: "(.*)"$', text, re.MULTILINE)
    branch = re.search(r"^ +branches: \[(.*)\]$", text, re.MULTILINE)
    try:
        rendered = workflows(templates, cron=cron[1] if cron else OWN_CRON, branch=branch[1] if branch else OWN_BRANCH)
    except UsageError:
        return False
    return rendered[name] == text
