"""Where the program is installed, and whether that is possible."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.environment import working_directory
from opencode_patcher.base.errors import InstallError, UsageError
from opencode_patcher.install.systems.protocol import System

_CLAIMED = ((".local", "bin"), (".opencode", "bin"))
"""If a program's own path contains one of these, upstream's updater treats it as installed by the official script and
overwrites it (packages/opencode/src/installation/index.ts)."""


def choose(
    system: System, environment: Mapping[str, str], *, wanted: Path | None, active: Path | None, recorded: Path | None
) -> Path:
    """The full path of the program in the bin directory.

    ``wanted`` is the directory asked for; ``active`` the current place of a program of ours, ``recorded`` the place of
    the last install, whether or not it is still there. Raises UsageError for a second place, when no place is known, or
    when the directory's name is not UTF-8.
    """
    if wanted is None:
        return recorded or _writable_down(system.default_bin_dir(environment)) / system.program
    given = Path(os.path.expanduser(wanted))  # noqa: PTH111 (never raises)
    whole = given if given.is_absolute() else working_directory() / given
    place = _writable_down(Path(os.path.normpath(whole))) / system.program
    if os.pathsep in str(place.parent):
        raise UsageError(
            f"{place.parent} cannot be used as a bin directory.",
            why=f"PATH separates its directories with {os.pathsep!r}, so it can never hold this one.",
            next_step="Name another directory with --bin-dir.",
        )
    if active and os.path.realpath(active.parent) != os.path.realpath(place.parent):
        raise UsageError(
            f"OpenCode is already installed in {active.parent}.",
            why="It can only be installed in one place at a time, so that no forgotten copy is left behind.",
            next_step="Run opencode-patcher uninstall first, or leave out --bin-dir.",
        )
    return place


def _writable_down(bin_dir: Path) -> Path:
    if files.is_text(bin_dir):
        return bin_dir
    raise UsageError(
        f"{bin_dir} cannot be used as a bin directory.",
        why="Its name is not UTF-8, so it cannot be recorded.",
        next_step="Name another directory with --bin-dir.",
    )


def check_bin_dir(bin_dir: Path) -> None:
    """Raises InstallError when nothing can be written to ``bin_dir``. It need not exist yet."""
    why = _hindrance(bin_dir)
    if why:
        raise InstallError(
            f"Nothing can be installed in {bin_dir}.",
            why=why,
            next_step="Correct that, or name another directory with --bin-dir.",
        )


def _hindrance(bin_dir: Path) -> str:
    for path in (bin_dir, *bin_dir.parents):
        if files.is_dir(path):
            writable = os.access(path, os.W_OK | os.X_OK)
            return "" if writable else f"You may not write to {path}."
        if files.is_link(path):
            return f"{path} is a link to {path.readlink()}, which does not exist."
        if files.exists(path):
            return f"{path} is a file."
    return ""


def check_outside(bin_dir: Path, store: Path) -> None:
    """Raises UsageError when ``bin_dir`` is in the ``store``, where the programs themselves are."""
    if Path(os.path.realpath(bin_dir)).is_relative_to(os.path.realpath(store)):
        raise UsageError(
            f"{bin_dir} cannot be used as a bin directory.",
            why=f"It is in the store, {store}, where the programs themselves are kept.",
            next_step="Name another directory with --bin-dir.",
        )


def check_running_file(file: Path) -> None:
    """Raises InstallError when upstream's updater would treat ``file`` as its own."""
    claim = claimed(str(file), os.sep)
    if claim:
        raise InstallError(
            f"{file} would be overwritten by OpenCode's own updater.",
            why=f"It treats every program below {claim} as one that the official script installed.",
            next_step="Set OPENCODE_PATCHER_HOME (on Windows: --bin-dir) to another directory, and build again.",
        )


def closed_to_others(place: Path, file: Path) -> Path | None:
    """The directory that keeps other users from starting ``file``, although they can reach ``place``; None when there
    is none, or it is unknown.
    """
    try:
        return None if _barrier(place) else _barrier(Path(os.path.realpath(file)))
    except OSError:
        return None


def _barrier(file: Path) -> Path | None:
    """The outermost directory above a file that not all users may enter; None when all may."""
    above = reversed(Path(os.path.realpath(file.parent), file.name).parents)
    return next((path for path in above if not path.stat().st_mode & stat.S_IXOTH), None)


def claimed(path: str, separator: str) -> str | None:
    """The part of ``path`` that makes upstream's updater treat a program as its own; None when there is none."""
    return next((part for pair in _CLAIMED if (part := separator.join(pair)) in path), None)
