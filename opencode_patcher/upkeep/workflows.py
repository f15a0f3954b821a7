"""The workflows that test, watch upstream and publish: rendered from ``templates/ci``, for this project and forks."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import UsageError
from opencode_patcher.base.line import LINES, Line
from opencode_patcher.patchset.render import render_document

DIRECTORY = ".github/workflows"
COMMON = "ci.yml"
"""The workflow that all lines share. Each line has two of its own: neither waits for the other, and a release of one
cannot be attested as one of the other.
"""

CHOICES: Mapping[str, tuple[Line, ...]] = {**{str(line.major): (line,) for line in LINES}, "both": LINES}
"""The lines that the workflows can be for, by the name of the choice."""

OWN_LINES = "both"
OWN_CRON = "17 5 * * *"
"""When this project looks for a release: daily, but not on the hour, when GitHub is busy."""

OWN_BRANCH = "main"

_FIELD = r"(?:\*|\d+(?:-\d+)?)(?:/\d+)?"
_CRON = re.compile(rf"{_FIELD}(?:,{_FIELD})*(?: {_FIELD}(?:,{_FIELD})*){{4}}")


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The files that ``write`` has written, and those that it has removed."""

    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()


def names(lines: Iterable[Line]) -> tuple[str, ...]:
    """The file names of the workflows for these lines."""
    return (COMMON, *(name for line in lines for name in (line.release_workflow, _watch(line))))


def workflows(templates: Path, *, cron: str, branch: str, lines: Sequence[Line]) -> dict[str, str]:
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
    directory = templates / "ci"
    common = {**pins(templates), "cron": cron, "branch": branch, "lines": [_values(line) for line in lines]}

    def rendered(name: str, values: Mapping[str, object]) -> str:
        path = directory / f"{name}.j2"
        return render_document(f"ci/{path.name}", path.read_text(encoding="utf-8"), values, directory)

    texts = {COMMON: rendered(COMMON, common)}
    for line in lines:
        # A repository has one release that it calls its latest: that of the first line.
        own = {**common, "line": _values(line), "latest": line is lines[0]}
        texts[line.release_workflow] = rendered("release.yml", own)
        texts[_watch(line)] = rendered("watch.yml", own)
    return texts


def _watch(line: Line) -> str:
    return f"watch{line.suffix}.yml"


def _values(line: Line) -> Mapping[str, object]:
    """What the templates may use of a line. ``option`` names it to the commands, which take the first one without."""
    return {
        "name": line.name,
        "major": line.major,
        "program": line.program,
        "lock": line.lock,
        "suffix": line.suffix,
        "option": "" if line is LINES[0] else f" --line {line.major}",
        "experimental": line.experimental,
    }


def pins(templates: Path) -> Mapping[str, str]:
    """The commit and version of each action."""
    found = tomllib.loads((templates / "ci" / "actions.toml").read_text(encoding="utf-8"))
    return {str(name): str(pin) for name, pin in found.items()}


def spread_cron(name: str) -> str:
    """A daily schedule whose minute depends on ``name``, so that forks do not all run at the same time."""
    number = int(hashlib.sha256(name.encode("utf-8")).hexdigest()[:8], 16)
    return f"{number % 60} {number // 60 % 24} * * *"


def write(root: Path, templates: Path, texts: Mapping[str, str], *, replace: bool) -> Changed:
    """Write the workflows into the repository at ``root``, and remove those of other lines.

    Generated workflows that were not edited, such as those that come with a clone, are replaced or removed. Raises
    UsageError when ``root`` is not a repository, or has an edited one and ``replace`` is False; then nothing changes.
    """
    if not (root / ".git").exists():
        raise UsageError(
            f"{root} is not a repository.",
            why="The workflows belong in the root of a fork of opencode-patcher.",
            next_step="Name it: opencode-patcher ci init DIRECTORY",
        )
    directory = root / DIRECTORY
    there = {name: path.read_text(encoding="utf-8") for name in names(LINES) if (path := directory / name).is_file()}
    superfluous = [name for name in there if name not in texts]
    edited = [
        name for name, text in there.items() if text != texts.get(name) and not _is_generated(name, text, templates)
    ]
    if edited and not replace:
        raise UsageError(
            f"{directory / edited[0]} is already there, and was edited.",
            why="" if edited[0] in texts else "It is for a line of OpenCode that is not wanted now.",
            next_step=f"To {'replace' if edited[0] in texts else 'remove'} it: opencode-patcher ci init --replace",
        )
    differing = {directory / name: text for name, text in texts.items() if there.get(name) != text}
    for path, text in differing.items():
        files.write_text(path, text)
    for name in superfluous:
        (directory / name).unlink()
    return Changed(written=tuple(differing), removed=tuple(directory / name for name in superfluous))


def _is_generated(name: str, text: str, templates: Path) -> bool:
    """Whether a workflow is the template's output for some schedule, branch and lines."""
    cron = re.search(r'^ +- cron: "(.*)"$', text, re.MULTILINE)
    branch = re.search(r"^ +branches: \[(.*)\]$", text, re.MULTILINE)
    chosen = {"cron": cron[1] if cron else OWN_CRON, "branch": branch[1] if branch else OWN_BRANCH}
    try:
        return any(
            workflows(templates, **chosen, lines=lines).get(name) == text
            for lines in CHOICES.values()
            if name in names(lines)
        )
    except UsageError:
        return False
