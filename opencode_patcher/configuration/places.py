"""Where OpenCode reads its configuration from, in the order in which it merges it; later files win.

From packages/opencode/src/config/config.ts, paths.ts and managed.ts, and packages/core/src/global.ts. What servers (a
login by URL, an organisation) and macOS's managed preferences add is not included.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from opencode_patcher.base.environment import home_directory
from opencode_patcher.base.files import exists, is_file

STOCK_NAMES = ("opencode.json", "opencode.jsonc")
COMBINED_NAMES = ("combined.json", "combined.jsonc")
"""The settings' own files. Only a patched OpenCode reads them, right after the others of the same directory."""

OWN_NAMES = (*STOCK_NAMES, *COMBINED_NAMES)
GLOBAL_NAMES = ("config.json", *STOCK_NAMES)
COMBINED_VARIABLE = "OPENCODE_COMBINED"
"""Names a file like combined.json, with the same precedence as the file in ``OPENCODE_CONFIG``."""

CONTENT_VARIABLE = "OPENCODE_CONFIG_CONTENT"
"""Contains a configuration itself; it comes after all files except the managed ones."""


def files(environment: Mapping[str, str], directory: Path) -> tuple[Path, ...]:
    """All files that an OpenCode started in ``directory`` looks for, except the managed ones, whether or not they
    exist."""
    return tuple(dict.fromkeys(_files(environment, directory)))


def _files(environment: Mapping[str, str], directory: Path) -> Iterator[Path]:
    if user := config_directory(environment):
        yield from (user / name for name in (*GLOBAL_NAMES, *COMBINED_NAMES))
    if chosen := environment.get("OPENCODE_CONFIG"):
        yield directory / chosen
    if chosen := environment.get(COMBINED_VARIABLE):
        yield directory / chosen
    with_project = environment.get("OPENCODE_DISABLE_PROJECT_CONFIG", "").lower() not in ("1", "true")
    project = _up(directory) if with_project else ()
    for above in reversed(project):
        yield from (above / name for name in OWN_NAMES)
    own = environment.get("OPENCODE_TEST_HOME")
    home = Path(own) if own else home_directory(environment)
    for above in (*project, *([home] if home else [])):
        yield from (above / ".opencode" / name for name in OWN_NAMES)
    if chosen := environment.get("OPENCODE_CONFIG_DIR"):
        yield from (directory / chosen / name for name in OWN_NAMES)


def managed_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The administrator's files, which come last."""
    if chosen := environment.get("OPENCODE_TEST_MANAGED_CONFIG_DIR"):
        directory = Path(chosen)
    elif sys.platform == "darwin":
        directory = Path("/Library/Application Support/opencode")
    elif sys.platform == "win32":
        directory = Path(environment.get("ProgramData", "C:\\ProgramData")) / "opencode"
    else:
        directory = Path("/etc/opencode")
    return tuple(directory / name for name in OWN_NAMES)


def config_directory(environment: Mapping[str, str]) -> Path | None:
    """The directory of the user's own configuration; None when neither it nor a home is known."""
    return _user_directory(environment, "XDG_CONFIG_HOME", ".config")


def data_directory(environment: Mapping[str, str]) -> Path | None:
    """The directory with ``auth.json``, the sessions and the log of attempts; None when neither it nor a home is known.

    It is below ``XDG_DATA_HOME``, else below ``~/.local/share``, on every system (npm's xdg-basedir).
    """
    return _user_directory(environment, "XDG_DATA_HOME", ".local/share")


def state_directory(environment: Mapping[str, str]) -> Path | None:
    """The directory with the health file (which member is unavailable until when); None as for ``data_directory``."""
    return _user_directory(environment, "XDG_STATE_HOME", ".local/state")


def combined_file(environment: Mapping[str, str]) -> Path | None:
    """The user's own combined.json, or combined.jsonc if there is one."""
    directory = config_directory(environment)
    if directory is None:
        return None
    there = (directory / name for name in reversed(COMBINED_NAMES) if is_file(directory / name))
    return next(there, directory / COMBINED_NAMES[0])


def is_own(file: Path, environment: Mapping[str, str], directory: Path) -> bool:
    """Whether only a patched OpenCode, started in ``directory``, reads this file."""
    chosen = environment.get(COMBINED_VARIABLE)
    return file.name in COMBINED_NAMES or bool(chosen and file == directory / chosen)


def _user_directory(environment: Mapping[str, str], variable: str, below_home: str) -> Path | None:
    if chosen := environment.get(variable):
        return Path(chosen) / "opencode"
    home = home_directory(environment)
    return home / below_home / "opencode" if home else None


def _up(directory: Path) -> tuple[Path, ...]:
    """``directory`` and those above it, up to the top of its git repository, or else to the root."""
    chain = (directory, *directory.parents)
    for index, above in enumerate(chain):
        if exists(above / ".git"):
            return chain[: index + 1]
    return chain
