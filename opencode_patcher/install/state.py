"""What cannot be seen in the bin directory: which place is ours, what was there before, which build was active when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.documents import DocumentError, Format, MissingError
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.store import Store

FILE = "state.json"
"""The state of the program called ``opencode``; that of any other name is in ``state-NAME.json``."""

DEFAULT = "opencode"
FORMAT = 1
KEPT_ACTIVATIONS = 50
"""Older entries of the history are dropped."""

LOCK = "install"
"""The store's mutex for the place, the state and the records."""


@dataclass(frozen=True, kw_only=True)
class Activation:
    """``build`` became active. ``at`` is ISO 8601 in UTC, None when the run that did it was killed."""

    build: str
    at: str | None


@dataclass(frozen=True, kw_only=True)
class InstallState:
    """``place`` is the program's full path in the bin directory, None before the first install.

    ``aside`` are the user's files that were at the place, under their current names, oldest first; ``history`` the
    activations, oldest first.
    """

    place: Path | None = None
    aside: tuple[Path, ...] = ()
    history: tuple[Activation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _File:
    place: Path | None
    aside: tuple[Path, ...]
    history: tuple[Activation, ...]


def file_of(store: Store, program: str) -> Path:
    """Where the state of a program is, by its file name."""
    return store.installed / file_name(program)


def file_name(program: str) -> str:
    """The name of the file with the state of a program."""
    stem = program.removesuffix(".exe")
    return FILE if stem == DEFAULT else f"state-{stem}.json"


def others(store: Store, program: str) -> Mapping[str, InstallState]:
    """The states of the programs that are installed under other names, by the name. Raises StoreError."""
    found = (path.stem.partition("-")[2] or DEFAULT for path in sorted(store.installed.glob("state*.json")))
    return {name: read(store, name) for name in found if file_of(store, name) != file_of(store, program)}


def meant(store: Store, name: str | None) -> str:
    """The name of the program that a command is about: ``name``, else the usual one, unless the only program that is
    installed has another name. Raises StoreError.
    """
    if name or files.exists(file_of(store, DEFAULT)):
        return name or DEFAULT
    found = others(store, DEFAULT)
    return next(iter(found)) if len(found) == 1 else DEFAULT


def active_elsewhere(store: Store, program: str) -> frozenset[str]:
    """The builds that are active under other names: for each name, the one that was activated last. Raises
    StoreError.
    """
    return frozenset(state.history[-1].build for state in others(store, program).values() if state.history)


def read(store: Store, program: str = DEFAULT) -> InstallState:
    """The recorded state; an empty one before the first install. Raises StoreError when it cannot be read."""
    path = file_of(store, program)
    try:
        # Install scripts of older releases accepted names that are not UTF-8; their bytes are kept.
        said = documents.read(path, _File, format=Format(FORMAT), any_bytes=True)
    except MissingError:
        return InstallState()
    except DocumentError as error:
        raise StoreError(
            f"{path} cannot be read.",
            why=str(error),
            next_step="Update opencode-patcher if a newer one wrote it; else delete the file and install again. "
            "The installed program is not affected.",
        ) from error
    return InstallState(place=said.place, aside=said.aside, history=said.history)


def write(store: Store, state: InstallState, program: str = DEFAULT) -> None:
    """Replace the recorded state in one step. Raises StoreError."""
    files.write_json(
        file_of(store, program),
        {
            "format": FORMAT,
            "place": str(state.place) if state.place else None,
            "aside": [str(path) for path in state.aside],
            "history": [{"build": entry.build, "at": entry.at} for entry in state.history],
        },
    )


def forget(store: Store, program: str = DEFAULT) -> None:
    """Reset it to the state before the first install, even on a full disk. Raises StoreError."""
    files.remove_file(file_of(store, program))


def with_active(history: tuple[Activation, ...], build: str | None) -> tuple[Activation, ...]:
    """The history according to the bin directory: it ends with ``build``, even if the run that activated it was
    killed."""
    if build is None or (history and history[-1].build == build):
        return history
    return (*history, Activation(build=build, at=None))


def activated(history: tuple[Activation, ...], build: str) -> tuple[Activation, ...]:
    """The history after ``build`` became active now. Activating it again adds nothing."""
    if history and history[-1].build == build:
        return history
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return (*history, Activation(build=build, at=now))[-KEPT_ACTIVATIONS:]
