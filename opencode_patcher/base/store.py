"""The store: the directory that holds everything this tool keeps, and the mutexes for changing it.

The store is private unless the user has made the directory readable for others. It can be deleted at any time; the next
run makes it again. Layout::

    MARKER             shows that the directory is ours
    sources/           one bare partial repository a source
    trees/             patched work trees, one a source and release
    toolchains/        bun, one directory a version and platform
    builds/            finished binaries
    installed/         what ``install`` activated
    incoming/          what a release's install script is downloading; the script holds the lock ``install``
    logs/              output of long programs
    locks/             lock files
    demo/              a store inside the store, for ``demo``
    releasing.json     where a release is being made: beside its final directory
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.environment import working_directory
from opencode_patcher.base.errors import StoreError

HOME_VARIABLE = "OPENCODE_PATCHER_HOME"
MARKER = ".opencode-patcher-store"
FORMAT = 1
"""Version of the layout. A store with a newer format is refused and not touched."""

STALE_SECONDS = 24 * 60 * 60.0
"""No download or installation takes this long. Unfinished work older than this was left by a run that ended."""

_HELP = f"Free some space or fix the permissions, or name another directory in {HOME_VARIABLE}."


@dataclass(frozen=True, kw_only=True)
class _Marker:
    """What the marker file contains."""

    format: int


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
        """A separate store inside this one, made if needed. This store does not list what is built there; both share
        this store's toolchains. Raises StoreError as ``open_store`` does.
        """
        return replace(open_store(self.root / name), shared=self.shared or self.root)

    @contextmanager
    def mutex(self, name: str, *, wait: bool = True, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the mutex ``name`` across processes. ``on_wait`` is called once when another run holds it.

        Raises StoreError at once when ``wait`` is False and another run holds it.
        """
        from filelock import FileLock, Timeout

        path = self.root / "locks" / f"{name}.lock"
        with files.write_errors(path, help=_HELP):
            files.make_directory(path.parent)
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if not wait:
                    raise StoreError(
                        "Another run of opencode-patcher is in progress.",
                        why=f"It holds {path}.",
                        next_step="Wait for it to end, or run the command without --no-wait.",
                    ) from None
                if on_wait:
                    on_wait()
                lock.acquire()
            except NotImplementedError as error:
                raise StoreError(
                    f"{path} cannot be locked.",
                    why="The store's file system does not support locks.",
                    next_step=f"Name a directory on a local disk in {HOME_VARIABLE}.",
                ) from error
        try:
            yield
        finally:
            lock.release()


def require_programs_run(store: Store) -> None:
    """Raises StoreError when programs cannot be run from the store, where bun and what is built lie."""
    if not files.runs_programs(store.root):
        raise StoreError(
            f"Programs cannot be run from the store at {store.root}.",
            why="Its file system is mounted with the option noexec.",
            next_step=f"Name a directory on another file system in {HOME_VARIABLE}, or mount this one with exec.",
        )


def default_root() -> Path:
    """``OPENCODE_PATCHER_HOME`` if set, else the platform's data directory for the user.

    Raises StoreError when neither the environment nor the system says where the user's home is, or its name is not
    UTF-8, and UsageError when the variable is relative to a current directory that is gone.
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
    if files.is_text(root):
        return root
    raise StoreError(
        f"{root} cannot be the store.",
        why="Its name is not UTF-8.",
        next_step=f"Name another directory in {HOME_VARIABLE}.",
    )


def _homeless(why: str) -> StoreError:
    return StoreError(
        "The directory for the store cannot be determined.",
        why=f"Neither HOME nor the system's list of users says where the home directory is: {why}.",
        next_step=f"Set HOME, or name a directory in {HOME_VARIABLE}.",
    )


def open_store(root: Path | None = None) -> Store:
    """The store at ``root`` (default: ``default_root()``), made if it is not there.

    Raises StoreError when the directory cannot be written, holds other files, or has a newer format.
    """
    root = (root or default_root()).absolute()
    marker = root / MARKER
    with files.write_errors(root, help=_HELP):
        if marker.is_file():
            _check_format(root, marker)
            return Store(root=root)
        if root.exists() and not _may_be_used(root):
            raise StoreError(
                f"{root} cannot be used as the store.",
                why="It exists, is not empty and was not made by opencode-patcher.",
                next_step=f"Name another directory in {HOME_VARIABLE}, or move this one away.",
            )
        if not root.exists():
            files.make_directory(root.parent)
            root.mkdir(0o700, exist_ok=True)
            root.chmod(0o700)
        try:
            files.write_json(marker, {"format": FORMAT})
        except StoreError as error:
            # Only here do we know that another directory would do.
            raise StoreError(f"{root} cannot be written.", why=error.why, next_step=_HELP) from error
        return Store(root=root)


def existing() -> Store | None:
    """The store at ``default_root()`` if there is one; makes none. Raises StoreError as ``open_store`` does."""
    return open_store() if files.is_dir(default_root()) else None


def _may_be_used(root: Path) -> bool:
    """Whether a directory without a marker may become a store: it is empty, or holds only what another run writes while
    it makes a store, even if that run was killed.
    """
    if not root.is_dir():
        return False
    foreign = [path for path in root.iterdir() if not path.name.startswith(f".{MARKER}.")]
    return not foreign or (root / MARKER).is_file()


def _check_format(root: Path, marker: Path) -> None:
    try:
        found = documents.read(marker, _Marker).format
    except documents.DocumentError:
        raise StoreError(
            f"The store at {root} cannot be used.",
            why=f"{marker} is damaged.",
            next_step=f"Move the store away, so that the next run makes a new one, or name another in {HOME_VARIABLE}.",
        ) from None
    if found != FORMAT:
        raise StoreError(
            f"The store at {root} cannot be used by this version.",
            why=f"Its format is {found}; this version writes format {FORMAT}.",
            next_step=f"Update opencode-patcher, or name another directory in {HOME_VARIABLE}.",
        )


def sweep(store: Store) -> None:
    """Delete directories that ``staged_directory`` left behind because its process was killed.

    The caller holds the build mutex, so nobody is working in them. Other stores may share the toolchains, so recent
    directories there may still be in use.
    """
    held = (*store.sources.glob(".*"), *store.trees.glob("*/.*"), *store.builds.glob(".*"))
    shared = (path for path in store.toolchains.glob(".*") if time.time() - path.stat().st_mtime > STALE_SECONDS)
    for path in (*held, *shared):
        if files.is_staging(path):
            shutil.rmtree(path, ignore_errors=True)
