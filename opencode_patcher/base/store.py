"""The one place that knows directories and locks.

Layout of the store (all of it can be thrown away; it is made again on the next run)::

    MARKER             says that the directory is ours
    sources/           one bare partial repository a source
    trees/             patched work trees, one a source and release
    toolchains/        bun, one directory a version and platform
    builds/            finished binaries
    installed/         what ``install`` activated
    incoming/          what a release's install script is fetching; it holds the lock ``install``
    logs/              output of long programs
    locks/             lock files
    demo/              a store inside the store, for ``demo``
    releasing.json     where a release is being made, beside the directory that it becomes
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.base.environment import working_directory
from opencode_patcher.base.errors import StoreError

HOME_VARIABLE = "OPENCODE_PATCHER_HOME"
MARKER = ".opencode-patcher-store"
FORMAT = 1
"""Version of the layout. A store of a newer format is refused and not touched."""

STALE_SECONDS = 24 * 60 * 60.0
"""No download and no installation takes so long; what a run left unfinished that long ago is rubbish."""

_STAGING = re.compile(r"\..+\.[a-z0-9_]{8}")
"""The names that ``staged_directory`` gives, with the random part of tempfile.mkdtemp."""

_OLD = "old"
"""Names what ``staged_directory`` has moved aside."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """A directory that belongs to this tool. Make one with ``open_store``.

    ``shared`` is the root of the store whose toolchains this one uses; None for its own.
    """

    root: Path
    shared: Path | None = None

    @property
    def sources(self) -> Path:
        return self.root / "sources"

    @property
    def trees(self) -> Path:
        return self.root / "trees"

    @property
    def toolchains(self) -> Path:
        return (self.shared or self.root) / "toolchains"

    @property
    def builds(self) -> Path:
        return self.root / "builds"

    @property
    def installed(self) -> Path:
        return self.root / "installed"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def inner(self, name: str) -> Store:
        """A store of its own inside this one, made if it is not there. What is built there is not seen here; the
        toolchains are this store's. Raises StoreError as ``open_store`` does.
        """
        return replace(open_store(self.root / name), shared=self.shared or self.root)

    @contextmanager
    def mutex(self, name: str, *, wait: bool = True, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the mutex ``name`` across processes. ``on_wait`` is called once when another run holds it.

        Raises StoreError at once when ``wait`` is False and another run holds it.
        """
        from filelock import FileLock, Timeout

        path = self.root / "locks" / f"{name}.lock"
        with _store_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if not wait:
                    raise StoreError(
                        "Another run of opencode-patcher is at work.",
                        why=f"It holds {path}.",
                        next_step="Wait for it to end, or leave out --no-wait to wait here.",
                    ) from None
                if on_wait:
                    on_wait()
                lock.acquire()
            except NotImplementedError as error:
                raise StoreError(
                    f"{path} cannot be locked.",
                    why="The file system of the store has no locks.",
                    next_step=f"Name a directory on a local disk in {HOME_VARIABLE}.",
                ) from error
        try:
            yield
        finally:
            lock.release()


def default_root() -> Path:
    """``OPENCODE_PATCHER_HOME`` if set, else the platform's data directory for the user.

    Raises StoreError when neither the environment nor the system says where the user's home is, or its name is no
    UTF-8, and UsageError when the variable counts from a current directory that is gone.
    """
    override = os.environ.get(HOME_VARIABLE)
    if override and not override.startswith("~"):
        chosen = Path(override)
        return _checked(chosen if chosen.is_absolute() else working_directory() / chosen)
    from platformdirs import user_data_path

    try:
        root = Path(override).expanduser() if override else user_data_path("opencode-patcher", appauthor=False)
    except RuntimeError as error:
        raise _homeless(str(error).rstrip(".")) from error
    if not root.is_absolute():
        raise _homeless(f"{root} is not absolute")
    return _checked(root)


def _checked(root: Path) -> Path:
    if is_text(root):
        return root
    raise StoreError(
        f"{root} cannot be the store.",
        why="Its name is not UTF-8.",
        next_step=f"Name another directory in {HOME_VARIABLE}.",
    )


def _homeless(why: str) -> StoreError:
    return StoreError(
        "The directory for the store is not known.",
        why=f"Neither HOME nor the system's list of users says where the home directory is: {why}.",
        next_step=f"Set HOME, or name a directory in {HOME_VARIABLE}.",
    )


def open_store(root: Path | None = None) -> Store:
    """The store at ``root`` (default: ``default_root()``), made if it is not there.

    Raises StoreError when the directory cannot be written, holds other things, or was made by a newer format.
    """
    root = (root or default_root()).absolute()
    marker = root / MARKER
    with _store_errors(root):
        if marker.is_file():
            _check_format(root, marker)
            return Store(root=root)
        if root.exists() and not _may_be_used(root):
            raise StoreError(
                f"{root} cannot be used as the store.",
                why="It exists, is not empty and was not made by opencode-patcher.",
                next_step=f"Name another directory in {HOME_VARIABLE}, or move this one away.",
            )
        root.mkdir(parents=True, exist_ok=True)
        write_json(marker, {"format": FORMAT})
        return Store(root=root)


def _may_be_used(root: Path) -> bool:
    """Whether a directory in which no marker was seen may become a store: it is empty, but for what another run
    that makes it now has written, or one that was killed when it did.
    """
    if not root.is_dir():
        return False
    foreign = [path for path in root.iterdir() if not path.name.startswith(f".{MARKER}.")]
    return not foreign or (root / MARKER).is_file()


def _check_format(root: Path, marker: Path) -> None:
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))["format"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, int):
        raise StoreError(
            f"The store at {root} cannot be used.",
            why=f"{marker} is damaged.",
            next_step=f"Move the store away, so that the next run makes a new one, or name another in {HOME_VARIABLE}.",
        )
    if found != FORMAT:
        raise StoreError(
            f"The store at {root} cannot be used by this version.",
            why=f"Its format is {found}; this version writes format {FORMAT}.",
            next_step=f"Update opencode-patcher, or name another directory in {HOME_VARIABLE}.",
        )


def is_text(path: Path) -> bool:
    """Whether a path can stand in a file of text, which it cannot when the bytes of a name are not UTF-8."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8, newlines as given) so that a reader sees the old content or the new, never a part.

    What Python has for the bytes of a file name that is no UTF-8 (PEP 383) becomes these bytes again.
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

    Raises StoreError when the disk is full or the place cannot be written.
    """
    with _store_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if mode is None:
                mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            beside.chmod(mode)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def remove_file(path: Path) -> None:
    """Delete a file; one that is not there is fine. Works on a full disk. Raises StoreError."""
    with _store_errors(path):
        path.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Make a directory and its parents; one that is there already is fine. Raises StoreError."""
    with _store_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def remove_directory(path: Path) -> None:
    """Delete a directory and all that is in it. Raises StoreError."""
    with _store_errors(path):
        shutil.rmtree(path)


@contextmanager
def staged_directory(final: Path) -> Iterator[Path]:
    """A fresh directory beside ``final`` that takes its place when the block ends, and vanishes when it fails.

    An existing ``final`` is moved aside first and deleted last; it is put back when the new one cannot take its place.
    """
    with _store_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        staging = _beside(final)
        staging.chmod(0o755)
    try:
        yield staging
        with _store_errors(final):
            if final.exists():
                _exchange(staging, final)
            else:
                staging.replace(final)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def undo_staged(final: Path, staging: Path) -> None:
    """What ``staged_directory`` does when its block fails, for a process that was killed in it or right behind it:
    ``final`` is as it was, or new, and nothing is beside it. Names that ``staged_directory`` did not give are let be.
    """
    if staging.parent != final.parent or not re.fullmatch(rf"\.{re.escape(final.name)}\.[a-z0-9_]{{8}}", staging.name):
        return
    aside = _aside(final, staging)
    with _store_errors(final):
        if (aside / _OLD).exists() and not final.exists():
            (aside / _OLD).replace(final)
    for path in (staging, aside):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _beside(final: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}."))


def _aside(final: Path, staging: Path) -> Path:
    return staging.with_name(f".{final.name}.{_OLD}{staging.suffix}")


def _exchange(staging: Path, final: Path) -> None:
    aside = _aside(final, staging)
    aside.mkdir()
    try:
        final.replace(aside / _OLD)
        staging.replace(final)
    finally:
        if not final.exists():
            (aside / _OLD).replace(final)
        shutil.rmtree(aside, ignore_errors=True)


def sweep(store: Store) -> None:
    """Delete the directories that ``staged_directory`` could not, because its process was killed.

    The caller holds the lock of the builds, so nobody is at work in them. The toolchains may be another store's
    as well; what is young there may still be in use.
    """
    held = (*store.sources.glob(".*"), *store.trees.glob("*/.*"), *store.builds.glob(".*"))
    shared = (path for path in store.toolchains.glob(".*") if time.time() - path.stat().st_mtime > STALE_SECONDS)
    for path in (*held, *shared):
        if _STAGING.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def move_file(source: Path, target: Path) -> None:
    """Move a file, to another disk too. Raises StoreError, and then ``source`` is still there."""
    with _store_errors(target):
        shutil.move(source, target)


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{path} cannot be written.",
            why=f"{reason}.",
            next_step=f"Free some space or fix the permissions, or name another directory in {HOME_VARIABLE}.",
        ) from error
