"""Reading the files of a fetched commit from git's objects, without a work tree.

In a partial repository git fetches a missing file by itself, but one at a time and each with a connection
of its own. What is going to be read is therefore fetched in one go first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from opencode_patcher.base import git
from opencode_patcher.base.errors import ProcessError, SourceError
from opencode_patcher.upstream import remote

if TYPE_CHECKING:
    import git as gitpython


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file in a commit: its mode as git writes it (``100644``, ``100755``, ``120000``) and its blob."""

    mode: str
    blob: str


def listing(repository: Path, commit: str) -> dict[str, Entry]:
    """Every file of a commit by its path. A fetched commit's trees are there, so this needs no network.

    Raises SourceError when the repository does not hold the commit.
    """
    try:
        output = git.run(f"--git-dir={repository}", "ls-tree", "-r", "-z", "--full-tree", commit).stdout
    except ProcessError as error:
        raise SourceError(
            f"The commit {commit} cannot be read.",
            why=f"{repository} does not hold it: {error.output or error.why}",
            next_step=f"Delete {repository} and run the same command again.",
        ) from error
    entries: dict[str, Entry] = {}
    for line in output.split("\0"):
        about, _, path = line.partition("\t")
        if path:
            mode, kind, name = about.split(" ")
            if kind == "blob":
                entries[path] = Entry(mode=mode, blob=name)
    return entries


def prefetch(repository: Path, blobs: Iterable[str]) -> int:
    """Make sure that the repository holds ``blobs`` (object names), and return how many had to be fetched.

    One request whatever their number. Raises SourceError when the source cannot be reached or lacks one.
    """
    wanted = set(blobs)
    if not wanted:
        return 0
    missing = sorted(wanted - present(repository))
    if missing:
        # What git itself runs for a missing object: no negotiation, since blobs have no history to compare.
        remote.run(
            f"--git-dir={repository}",
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "fetch",
            "--no-tags",
            "--no-write-fetch-head",
            "--filter=blob:none",
            "--stdin",
            "origin",
            source=source_of(repository),
            what="Files of the release cannot be fetched.",
            stdin="\n".join(missing) + "\n",
        )
    return len(missing)


def present(repository: Path) -> frozenset[str]:
    """The names of all objects that the repository holds."""
    return frozenset(
        git.run(
            f"--git-dir={repository}", "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)"
        ).stdout.split()
    )


def source_of(repository: Path) -> str:
    """The address that a repository in the store fetches from."""
    return git.run(f"--git-dir={repository}", "config", "remote.origin.url").stdout.strip()


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads a commit's files; ``reader(path)`` gives the bytes, or None when the commit has no such file."""

    commit: str
    entries: Mapping[str, Entry]
    _database: gitpython.GitCmdObjectDB
    _read: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, path: str) -> bytes | None:
        entry = self.entries.get(path)
        if entry is None:
            return None
        if entry.blob not in self._read:
            try:
                self._read[entry.blob] = self._database.stream(bytes.fromhex(entry.blob)).read()
            except ValueError as error:
                raise SourceError(
                    f"{path} of commit {self.commit} cannot be read.",
                    why=f"The source does not give out its content: {error}",
                    next_step="Check the network, or name another source with --source.",
                ) from error
        return self._read[entry.blob]


@contextmanager
def open_reader(repository: Path, commit: str, *, ahead: Iterable[str] = ()) -> Iterator[Reader]:
    """A reader of ``commit``. The files named in ``ahead`` are fetched in one go; others when they are read.

    Raises SourceError when the commit is not there or the files cannot be fetched.
    """
    entries = listing(repository, commit)
    prefetch(repository, (entries[path].blob for path in ahead if path in entries))
    opened = git.open_repository(repository)
    try:
        yield Reader(commit=commit, entries=entries, _database=opened.odb)
    finally:
        opened.close()


def read_pristine(repository: Path, commit: str, paths: Iterable[str]) -> dict[str, bytes | None]:
    """The content of several files of a commit; None for those that it does not have."""
    wanted = list(paths)
    with open_reader(repository, commit, ahead=wanted) as read:
        return {path: read(path) for path in wanted}
