"""Moves the lock to upstream's newest release: find, check, build, verify, and only then write.

If anything fails before the last step, the lock and the installation stay as they were.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import PatchError, StoreError
from opencode_patcher.base.mutex import one_at_a_time
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.patchset import hints
from opencode_patcher.patchset.check import ReleaseCheck
from opencode_patcher.toolchain import bun_package, catalogue
from opencode_patcher.upkeep import matrix, release_check
from opencode_patcher.upkeep.release_check import Fit, Ours
from opencode_patcher.upstream import lock as locks
from opencode_patcher.upstream import releases, repository, workspace
from opencode_patcher.upstream.lock import Lock
from opencode_patcher.upstream.support import Support


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """What is there to move to. ``found`` is about ``newest``, None when the lock has it already. ``note`` tells of a
    later line of OpenCode, "" when there is none.
    """

    locked: Release
    newest: Release
    found: tuple[ReleaseCheck, Fit] | None = None
    note: str = ""

    @property
    def newer(self) -> bool:
        """Whether upstream has a newer release than the lock."""
        return self.newest > self.locked

    @property
    def fails(self) -> bool:
        """Whether the patches do not fit the newer release."""
        return self.found is not None and self.found[1] is Fit.FAILS

    @property
    def differs(self) -> bool:
        """Whether the newer release differs in code that the feature relies on."""
        return self.found is not None and self.found[1] is Fit.DIFFERS


def look(request: Request, store: Store, reporter: Reporter, *, lock: Lock, window: Support) -> Prospect:
    """Find the newest release of the line and check the patches against it. Only the store's copy of upstream changes.

    Raises SourceError when the source cannot be reached or has moved the locked tag.
    """
    listing = releases.survey(request.source, request.line)
    newest = releases.latest(listing.releases, request.line)
    for release in listing.releases:
        locks.check(release, lock)
    with one_at_a_time(store, reporter, wait=request.wait):
        prospect = examine(newest, request, store, reporter, lock=lock, window=window)
    return replace(prospect, note=listing.note())


def examine(
    release: Release, request: Request, store: Store, reporter: Reporter, *, lock: Lock, window: Support
) -> Prospect:
    """Check the patches against a release, if it is newer than the lock's. The caller holds the mutex of the builds.

    Raises SourceError when the source cannot be reached.
    """
    if release <= lock.release:
        return Prospect(locked=lock.release, newest=release)
    ours = Ours(patches=request.patches, templates=request.templates, line=request.line)
    checked = release_check.check_releases(request.source, [release], lock.release, store, reporter, ours)
    (check,) = checked.checks
    return Prospect(locked=lock.release, newest=release, found=(check, release_check.judge(check, window)))


def require_fit(prospect: Prospect) -> None:
    """Raises PatchError when the patches do not fit the newest release."""
    if prospect.found and prospect.fails:
        tag = prospect.newest.tag
        problems = (problem for row in matrix.make([prospect.found]).failed for problem in row.problems)
        raise PatchError(
            f"The patches do not fit {tag}.",
            why="\n".join(problems),
            next_step=hints.rebase(tag),
        )


def unproven(prospect: Prospect) -> str:
    """What has to be known of a release that is newer than the lock's, before it is built."""
    said = (
        f"OpenCode {prospect.newest.tag} is unproven: it is newer than {prospect.locked.tag}, the release in the lock. "
        "The binary has to pass the whole drill, which takes minutes."
    )
    differences = matrix.differences(matrix.make([prospect.found])) if prospect.found and prospect.differs else ""
    return f"{differences}\n{said}".strip()


def next_lock(prospect: Prospect, request: Request, store: Store, reporter: Reporter, *, lock: Lock) -> Lock:
    """``lock`` moved to the newest release, with pins for the bun that it asks for and the newest models catalogue.
    No code of OpenCode's is run.

    Raises SourceError when the source cannot be reached, or is not OpenCode; ToolchainError when the registry cannot be
    asked for bun.
    """
    with one_at_a_time(store, reporter, wait=request.wait), repository.opened(store, request.source) as upstream:
        upstream.fetch([prospect.newest], reporter)
        wanted = workspace.closure(
            upstream.snapshot(prospect.newest).package_texts(), request.line.at(prospect.newest.version)
        ).bun
    pins = bun_package.with_pins(lock.bun, wanted, reporter)
    newest = catalogue.move_lock(lock, request, store, reporter)
    return replace(newest, release=prospect.newest, bun=pins)


@contextmanager
def moving(prospect: Prospect, after: Lock, lock_file: Path) -> Iterator[Callable[[], None]]:
    """Yields a function that writes the lock ``after`` to ``lock_file``.

    When the block fails, the file is unchanged, and the error says so. Raises StoreError when the file cannot be
    written; this is checked before the long build.
    """
    _require_writable(lock_file)
    before = lock_file.read_bytes() if lock_file.exists() else None
    try:
        yield lambda: locks.write_lock(after, lock_file)
    except BaseException as error:
        if before is None:
            lock_file.unlink(missing_ok=True)
        elif lock_file.read_bytes() != before:
            files.write_bytes(lock_file, before)
        error.add_note(f"The lock and the installation stay at {prospect.locked.tag}.")
        raise


def _require_writable(path: Path) -> None:
    if not os.access(path.parent, os.W_OK):
        raise StoreError(
            f"The lock {path} cannot be written.",
            why=f"{path.parent} is not writable.",
            next_step="Fix its permissions, or run the command as the user who owns it.",
        )
