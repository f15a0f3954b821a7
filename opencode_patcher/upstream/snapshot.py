"""The files of one commit, read from git's objects without a work tree.

Neighbouring releases share most of their trees and files. Snapshots of one repository share what they have read, and a
file's blob name tells whether its content is already known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from opencode_patcher.upstream.objects import Objects, TreeEntry

_PACKAGE = "package.json"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A fetched commit; ``Repository.snapshot`` opens it. Methods raise SourceError when the commit or one of its trees
    is missing.
    """

    commit: str
    objects: Objects

    @property
    def day(self) -> str:
        """The day of the commit, as ISO 8601 has it."""
        return self.objects.day(self.commit)

    def entry(self, path: str) -> TreeEntry | None:
        """The entry of a file; None when the commit has no file at that path."""
        found = self._find(path)
        return found if found and found.is_file else None

    def has(self, path: str) -> bool:
        """Whether the commit has a file at that path."""
        return self.entry(path) is not None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None when there is none. A file that was not prefetched is fetched alone.

        Raises SourceError when it cannot be fetched.
        """
        entry = self.entry(path)
        if entry is None:
            return None
        self.objects.prefetch([entry.name])
        return self.objects.blob(entry.name)

    def prefetch(self, paths: Iterable[str]) -> int:
        """Fetch those of the files at ``paths`` that the commit has, in one request. Returns how many were fetched.

        Raises SourceError when the source cannot be reached or lacks one.
        """
        return self.objects.prefetch(entry.name for path in paths if (entry := self.entry(path)))

    def files(self, directory: str = "") -> Iterator[str]:
        """The paths of all files below a directory."""
        return (path for path, _ in self._walk(directory))

    def entries(self) -> Mapping[str, TreeEntry]:
        """The entry of every file by its path."""
        return dict(self._walk(""))

    def package_files(self) -> tuple[str, ...]:
        """The paths of all ``package.json``."""
        return tuple(path for path in self.files() if path.rpartition("/")[2] == _PACKAGE)

    def package_texts(self) -> dict[str, str]:
        """The text of every ``package.json`` by its path, as ``workspace.closure`` expects it.

        Raises SourceError when they cannot be fetched.
        """
        paths = self.package_files()
        self.prefetch(paths)
        return {path: (self.read(path) or b"").decode("utf-8", "replace") for path in paths}

    def _find(self, path: str) -> TreeEntry | None:
        *directories, name = path.split("/")
        tree = self.objects.tree(self.objects.root(self.commit))
        for directory in directories:
            below = tree.get(directory)
            if below is None or not below.is_directory:
                return None
            tree = self.objects.tree(below.name)
        return tree.get(name)

    def _walk(self, directory: str) -> Iterator[tuple[str, TreeEntry]]:
        found = self._find(directory) if directory else None
        if directory and (found is None or not found.is_directory):
            return
        for name, entry in self.objects.tree(found.name if found else self.objects.root(self.commit)).items():
            path = f"{directory}/{name}" if directory else name
            if entry.is_directory:
                yield from self._walk(path)
            elif entry.is_file:
                yield path, entry
