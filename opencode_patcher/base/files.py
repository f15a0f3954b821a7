"""Files and directories: what is at a path, bounded reading, and writing so that no reader sees a partial file.

New files are as private as their directory, and never writable for others, whatever the umask. Reading never hangs (on
a pipe or device) and never fills the memory; writing never follows a link at its target.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os.path import exists
from os.path import isdir as is_dir
from os.path import isfile as is_file
from os.path import islink as is_link
from pathlib import Path

from opencode_patcher.base.errors import StoreError

__all__ = [
    "TEXT_LIMIT",
    "exists",
    "is_dir",
    "is_file",
    "is_link",
    "is_staging",
    "is_text",
    "json_text",
    "make_directory",
    "move_file",
    "open_regular",
    "owner_of",
    "read_bytes",
    "read_text",
    "remove_directory",
    "remove_file",
    "runs_programs",
    "staged_directory",
    "undo_staged",
    "write_bytes",
    "write_errors",
    "write_json",
    "write_text",
]
# These four functions of os.path never raise. pathlib's methods do when a parent directory may not be entered
# (PermissionError, up to Python 3.13) or a name is too long. What cannot be seen counts as missing.

TEXT_LIMIT = 16_000_000
"""The most bytes read from a file, unless a caller says otherwise. Nothing written by hand is that long."""

_STAGING = re.compile(r"\..+\.[a-z0-9_]{8}")
"""The names that ``staged_directory`` gives, with the random part of tempfile.mkdtemp."""

_OLD = "old"
"""The name under which ``staged_directory`` moves a directory aside."""


def open_regular(path: Path) -> int:
    """A file descriptor for reading. Raises OSError, also for anything but a regular file (a link to one is fine)."""
    # Without these flags, opening a named pipe would wait for a writer, and a terminal could become ours.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    try:
        if not stat.S_ISREG(mode := os.fstat(handle).st_mode):
            kind = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
            reason = os.strerror(kind) if stat.S_ISDIR(mode) else "It is not a regular file"
            raise OSError(kind, reason, str(path))
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_bytes(path: Path, *, limit: int = TEXT_LIMIT) -> bytes:
    """The content of a regular file. Raises OSError, also for anything else and for more than ``limit`` bytes."""
    with os.fdopen(open_regular(path), "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"It is larger than {limit / 1e6:g} MB", str(path))
    return content


def read_text(path: Path, *, limit: int = TEXT_LIMIT, errors: str = "strict") -> str:
    """As ``read_bytes``, as UTF-8 with newlines as ``\\n``. Raises OSError and UnicodeDecodeError."""
    text = read_bytes(path, limit=limit).decode("utf-8", errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_text(path: Path) -> bool:
    """Whether a path can be written to a text file. It cannot if a name in it is not UTF-8."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def owner_of(path: Path) -> str:
    """The owner of a file or, if it is missing, of the nearest existing directory above it; "" for ourselves, or when
    the system does not say.
    """
    place = next((one for one in (path, *path.parents) if os.path.lexists(one)), path)
    try:
        user = place.lstat().st_uid
    except OSError:
        return ""
    if sys.platform == "win32" or user == os.geteuid():
        return ""
    import pwd

    try:
        return f"{pwd.getpwuid(user).pw_name} (uid {user})"
    except KeyError:
        return f"uid {user}"


def runs_programs(path: Path) -> bool:
    """Whether programs can be run from where ``path`` is, or will be: not from a file system mounted ``noexec``."""
    place = next((one for one in (path, *path.parents) if one.is_dir()), path)
    try:
        return not os.statvfs(place).f_flag & os.ST_NOEXEC
    except (AttributeError, OSError):  # Windows has neither; macOS not the flag
        return True


def is_recent(path: Path, seconds: float) -> bool:
    """Whether a file was written less than ``seconds`` ago; False when it is missing or from the future."""
    try:
        return 0 <= time.time() - path.stat().st_mtime < seconds
    except OSError:
        return False


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8, newlines as given) so that a reader sees either the old or the new content, never part
    of it.

    The surrogates that stand for bytes of a file name that is not UTF-8 (PEP 383) are written as those bytes.
    """
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_json(path: Path, value: object) -> None:
    """Write JSON with sorted keys, as ``write_text`` does."""
    write_text(path, json_text(value))


def json_text(value: object) -> str:
    """What ``write_json`` writes."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_bytes(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write beside the target, then rename. ``mode`` sets the permission bits; else an existing file keeps its own.

    Raises StoreError when the disk is full or the file cannot be written.
    """
    with write_errors(path):
        make_directory(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if mode is None:
                mode = path.stat().st_mode & 0o777 if path.is_file() else _private(path.parent, 0o644)
            beside.chmod(mode)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def remove_file(path: Path) -> None:
    """Delete a file; it is fine if there is none. Works on a full disk. Raises StoreError."""
    with write_errors(path):
        path.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Make a directory and its parents, unless they exist. Raises StoreError."""
    with write_errors(path):
        if path.is_dir():
            return
        if path.parent != path:
            make_directory(path.parent)
        mode = _private(path.parent, 0o755)
        try:
            path.mkdir(mode)
        except FileExistsError:
            if not path.is_dir():
                raise
        else:
            path.chmod(mode)


def remove_directory(path: Path) -> None:
    """Delete a directory and everything in it. Raises StoreError."""
    with write_errors(path):
        shutil.rmtree(path)


def move_file(source: Path, target: Path) -> None:
    """Move a file, to another disk too. Raises StoreError, and then ``source`` is still there."""
    with write_errors(target):
        shutil.move(source, target)


@contextmanager
def staged_directory(final: Path) -> Iterator[Path]:
    """A new directory beside ``final`` that replaces it when the block ends, and is deleted if the block fails.

    An existing ``final`` is moved aside first and deleted last; it is put back when the new one cannot take its place.
    """
    with write_errors(final):
        make_directory(final.parent)
        staging = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}."))
        staging.chmod(_private(final.parent, 0o755))
    try:
        yield staging
        with write_errors(final):
            if final.exists():
                _exchange(staging, final)
            else:
                staging.replace(final)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def undo_staged(final: Path, staging: Path) -> None:
    """Do what ``staged_directory`` does when its block fails, for a process that was killed during or right after it:
    ``final`` is either unchanged or new, and nothing is left beside it. Only names that ``staged_directory`` gives are
    touched.
    """
    if staging.parent != final.parent or not re.fullmatch(rf"\.{re.escape(final.name)}\.[a-z0-9_]{{8}}", staging.name):
        return
    aside = _aside(final, staging)
    with write_errors(final):
        if (aside / _OLD).exists() and not final.exists():
            (aside / _OLD).replace(final)
    for path in (staging, aside):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def is_staging(path: Path) -> bool:
    """Whether ``staged_directory`` made this directory and was killed before it could delete it."""
    return _STAGING.fullmatch(path.name) is not None and path.is_dir() and not path.is_symlink()


@contextmanager
def write_errors(path: Path, *, help: str = "Free some space, or fix the permissions.") -> Iterator[None]:
    """Turns an OSError of the block into a StoreError about ``path``."""
    try:
        yield
    except OSError as error:
        why = f"{(error.strerror or str(error)).rstrip('.')}."
        raise StoreError(f"{path} cannot be written.", why=why, next_step=help) from error


def _private(parent: Path, wanted: int) -> int:
    """``wanted`` without the permissions that the parent directory does not give to others."""
    allowed = stat.S_IMODE(parent.stat().st_mode)
    # Whoever may read a directory may read the files in it.
    return wanted & (0o700 | allowed)


def _aside(final: Path, staging: Path) -> Path:
    return staging.with_name(f".{final.name}.{_OLD}{staging.suffix}")


def _exchange(staging: Path, final: Path) -> None:
    aside = _aside(final, staging)
    aside.mkdir(0o700)
    try:
        final.replace(aside / _OLD)
        staging.replace(final)
    finally:
        if not final.exists():
            (aside / _OLD).replace(final)
        shutil.rmtree(aside, ignore_errors=True)
