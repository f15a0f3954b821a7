"""How far a work tree of the patches has come; kept inside the tree's git directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.version import Release, parse_tag

FILE_NAME = "opencode-patcher-patches.json"


@dataclass(frozen=True, kw_only=True)
class State:
    """``release`` is what the tree is made from, ``base`` the release that the patches fit as they are written.

    ``queue`` are the patches that have no commit yet, in order. ``current`` is the one that the user is at: its
    conflict is being resolved, or with ``editing`` its commit is being changed. ``moved`` maps targets to their place
    in ``release`` where history gave it.
    """

    release: Release
    base: Release
    queue: tuple[str, ...]
    current: str = ""
    editing: bool = False
    moved: dict[str, str] = field(default_factory=dict)


def read(git_dir: Path) -> State | None:
    """The state of a work tree, None when it has none. Raises StoreError when it is damaged."""
    path = git_dir / FILE_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return State(
            release=_release(data["release"]),
            base=_release(data["base"]),
            queue=tuple(map(str, data["queue"])),
            current=str(data["current"]),
            editing=bool(data["editing"]),
            moved={str(target): str(place) for target, place in data["moved"].items()},
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path} cannot be read.",
            why=f"{type(error).__name__}: {error}",
            next_step="Give the work tree up and start again: opencode-patcher patches rebase --abort",
        ) from error


def write(git_dir: Path, state: State) -> None:
    """Replace the state. Raises StoreError when it cannot be written."""
    files.write_json(git_dir / FILE_NAME, asdict(state))


def _release(data: dict[str, str]) -> Release:
    version = parse_tag(data["tag"])
    if version is None:
        raise ValueError(f"{data['tag']} is no release tag")
    return Release(tag=data["tag"], version=version, commit=data["commit"])
