"""Files of many releases at once, straight from git's objects.

Neighbouring releases share most of their trees and files, so every tree is read once, and every file's content has a
name (its blob) by which the caller can tell that it has seen it before. One git process serves them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from opencode_patcher.base import git
from opencode_patcher.base.errors import SourceError
from opencode_patcher.upstream import objects

if TYPE_CHECKING:
    import git as gitpython

_TREE_MODE = b"40000"
_GITLINK_MODE = b"160000"


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Reads files of any fetched commit; made by ``open_snapshots``.

    ``absent`` collects the blobs that were asked for and are not in the repository yet. For those ``content`` gives
    None, until ``fetch_absent`` has been called.
    """

    repository: Path
    absent: set[str] = field(default_factory=set)
    _database: gitpython.GitCmdObjectDB
    _present: set[str]
    _roots: dict[str, str] = field(default_factory=dict)
    _trees: dict[str, dict[str, tuple[bytes, str]]] = field(default_factory=dict)
    _contents: dict[str, bytes] = field(default_factory=dict)

    def blob(self, commit: str, path: str) -> str | None:
        """The blob of a file, None when the commit has no file at that path."""
        found = self._entry(commit, path)
        return None if found is None or found[0] in (_TREE_MODE, _GITLINK_MODE) else found[1]

    def files(self, commit: str, directory: str = "") -> Iterator[str]:
        """The paths of all files below a directory of the commit."""
        found = (_TREE_MODE, self._root(commit)) if not directory else self._entry(commit, directory)
        if found is None or found[0] != _TREE_MODE:
            return
        for name, (mode, _) in self._tree(found[1]).items():
            path = f"{directory}/{name}" if directory else name
            if mode == _TREE_MODE:
                yield from self.files(commit, path)
            elif mode != _GITLINK_MODE:
                yield path

    def content(self, blob: str) -> bytes | None:
        """The bytes of a blob; None when it has to be fetched first."""
        if blob not in self._contents:
            if blob not in self._present:
                self.absent.add(blob)
                return None
            self._contents[blob] = self._object(blob)
        return self._contents[blob]

    def fetch_absent(self) -> int:
        """Fetch what ``absent`` names, in one request, and return how many that were.

        Raises SourceError when the source cannot be reached or lacks one.
        """
        count = len(self.absent)
        objects.prefetch(self.repository, self.absent)
        self._present.update(self.absent)
        self.absent.clear()
        return count

    def _entry(self, commit: str, path: str) -> tuple[bytes, str] | None:
        *directories, name = path.split("/")
        tree = self._tree(self._root(commit))
        for directory in directories:
            mode, below = tree.get(directory, (b"", ""))
            if mode != _TREE_MODE:
                return None
            tree = self._tree(below)
        return tree.get(name)

    def _root(self, commit: str) -> str:
        if commit not in self._roots:
            self._roots[commit] = self._object(commit).split(b"\n", 1)[0].removeprefix(b"tree ").decode("ascii")
        return self._roots[commit]

    def _tree(self, name: str) -> dict[str, tuple[bytes, str]]:
        if name not in self._trees:
            self._trees[name] = dict(parse_tree(self._object(name)))
        return self._trees[name]

    def _object(self, name: str) -> bytes:
        try:
            content = self._database.stream(bytes.fromhex(name)).read()
        except ValueError as error:
            raise SourceError(
                f"The object {name} cannot be read.",
                why=f"{self.repository} does not hold it: {error}",
                next_step=f"Delete {self.repository} and run the same command again.",
            ) from error
        assert isinstance(content, bytes)
        return content


def parse_tree(content: bytes) -> Iterator[tuple[str, tuple[bytes, str]]]:
    """The entries of a tree object: name, mode as git writes it, and the object's name (SHA-1, 20 bytes each)."""
    position = 0
    while position < len(content):
        end = content.index(b"\0", position)
        mode, _, name = content[position:end].partition(b" ")
        position = end + 21
        yield name.decode("utf-8", "surrogateescape"), (mode, content[end + 1 : position].hex())


@contextmanager
def open_snapshots(repository: Path) -> Iterator[Snapshots]:
    """Reads the commits of ``repository``, which ``source.fetch`` or ``source.fetch_many`` returned."""
    opened = git.open_repository(repository)
    try:
        yield Snapshots(repository=repository, _database=opened.odb, _present=set(objects.present(repository)))
    finally:
        opened.close()
