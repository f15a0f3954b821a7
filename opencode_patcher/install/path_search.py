"""Which ``opencode`` a shell starts, and what to do when it is not ours."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from opencode_patcher.base import files
from opencode_patcher.install.systems.protocol import PathLine, System

KINDS_FILE = Path(__file__).with_name("other_installs.toml")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way of installing OpenCode; see ``other_installs.toml``. ``remove`` is empty when unknown."""

    name: str
    marks: tuple[str, ...] = ()
    remove: str = ""


UNKNOWN = Kind(name="unknown")
OURS = "opencode-patcher"
"""The name of the kind for programs installed from another store of this tool."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One program on PATH: its path, and the file it finally links to (itself when it is not a link)."""

    path: Path
    real: Path


@dataclass(frozen=True, kw_only=True)
class Other:
    """A program on PATH other than ours."""

    path: Path
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class PathFinding:
    """What a shell does with the command ``opencode``.

    ``first``: it starts the program at our place. ``shadowed``: the programs ``before`` come first.
    ``absent``: the bin directory is not on PATH; ``before`` are the programs that are started instead.
    ``line`` puts the bin directory first, or nearly so.
    """

    status: Literal["first", "shadowed", "absent"]
    bin_dir: Path
    before: tuple[Other, ...]
    line: PathLine


def find(system: System, place: Path, environment: Mapping[str, str]) -> PathFinding:
    """Search PATH as a shell would. ``place`` need not exist; it counts as found."""
    found = search(environment.get("PATH", ""), system.search_names(environment), place)
    return judge(place, found, system.path_line(place.parent, environment))


def search(path: str, names: Sequence[str], place: Path) -> tuple[Found, ...]:
    """The programs with one of ``names`` in the directories of ``path``, in the order of a shell's search."""
    ours = os.path.realpath(place.parent)
    found: dict[str, Found] = {}
    for part in path.split(os.pathsep):
        try:
            directory = Path(part) if Path(part).is_absolute() else Path.cwd() / part
        except OSError:
            # A shell finds nothing either in a current directory that was deleted.
            continue
        here = os.path.realpath(directory)
        for name in names:
            candidate = directory / name
            is_place = here == ours and name == place.name
            if is_place or (files.is_file(candidate) and os.access(candidate, os.X_OK)):
                known = place if is_place else candidate
                found.setdefault(f"{here}{os.sep}{name}", Found(path=known, real=Path(os.path.realpath(candidate))))
    return tuple(found.values())


def judge(place: Path, found: Sequence[Found], line: PathLine) -> PathFinding:
    """What ``found`` (in search order) means for the program at ``place``."""
    index = next((index for index, one in enumerate(found) if one.path == place), None)
    before = tuple(Other(path=one.path, kind=kind_of(one)) for one in found[:index])
    if index is None:
        return PathFinding(status="absent", bin_dir=place.parent, before=before, line=line)
    return PathFinding(status="shadowed" if before else "first", bin_dir=place.parent, before=before, line=line)


def kind_of(found: Found) -> Kind:
    """How a program was installed, judging by its path."""
    paths = [str(path).replace("\\", "/").lower() for path in (found.path, found.real)]
    for kind in kinds():
        if any(mark in path for mark in kind.marks for path in paths):
            return kind
    return UNKNOWN


@cache
def kinds() -> tuple[Kind, ...]:
    """The table of ``other_installs.toml``."""
    import tomllib

    table = tomllib.loads(KINDS_FILE.read_text(encoding="utf-8"))
    return tuple(
        Kind(name=entry["name"], marks=tuple(entry["marks"]), remove=entry["remove"]) for entry in table["kind"]
    )


def advice(finding: PathFinding) -> str:
    """Sentences that tell the user what is wrong and what to do; empty when nothing is wrong."""
    if finding.status == "first":
        return ""
    lines = []
    if finding.status == "absent":
        lines.append(f"{finding.bin_dir} is not on PATH.")
    for other in finding.before:
        origin = "" if other.kind is UNKNOWN else f" (installed by {other.kind.name})"
        lines.append(f"The command `opencode` starts another program: {other.path}{origin}.")
        if other.kind.remove:
            lines.append(f"  To remove it: {other.kind.remove}")
    order = "on PATH" if finding.status == "absent" else finding.line.order
    lines.append(f"To put {finding.bin_dir} {order}, add this to {finding.line.where}:")
    lines.append(f"  {finding.line.line}")
    return "\n".join(lines)
