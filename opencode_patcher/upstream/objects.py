"""Git's objects in one repository of the store. Each is read once, and fetched only on request.

In a partial repository git fetches missing objects by itself, but one at a time and each over a new connection. So only
objects that are known to be present are read here, and missing ones are fetched together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opencode_patcher.base import environment, git
from opencode_patcher.base.errors import SourceError
from opencode_patcher.upstream import remote

_PROGRAM = environment.find_program("git")
if _PROGRAM is None:
    raise remote.unusable_git("It is not on PATH.")
# GitPython runs git when it is imported: without a full path, the one in the current directory if PATH has ".".
os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = str(_PROGRAM)
try:
    import git as gitpython
    from git.objects.fun import tree_entries_from_data
except ImportError as error:
    raise remote.unusable_git(str(error)) from error

_FORMAT = 12
"""How many bits of a mode are below those that tell files, directories and submodules apart."""
_DIRECTORY, _SUBMODULE = 0o04, 0o16


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """An entry of a tree: its mode, such as ``0o100644``, and the name of its blob, tree or commit."""

    mode: int
    name: str

    @property
    def is_directory(self) -> bool:
        return self.mode >> _FORMAT == _DIRECTORY

    @property
    def is_file(self) -> bool:
        """Whether it has content. Symbolic links do."""
        return self.mode >> _FORMAT not in (_DIRECTORY, _SUBMODULE)


class _Git(gitpython.Git):
    """GitPython would expand a ``$`` in the repository's path if given a string; given a Path, it does not."""

    def __init__(self, working_dir: str | os.PathLike[str] | None = None) -> None:
        super().__init__(working_dir and Path(working_dir))


class _Repo(gitpython.Repo):
    """A bare repository, even if this process's environment points git at another one."""

    GitCommandWrapperType = _Git

    def __init__(self, git_dir: Path) -> None:
        super().__init__(git_dir, expand_vars=False)
        self._common_dir = ""  # GitPython takes it from GIT_COMMON_DIR
        self.git.update_environment(**environment.pinned_to(git_dir))


class Objects:
    """Reads the objects of the bare repository at ``git_dir``; close it, since a git process serves it.

    ``absent`` collects the blobs that were asked for and are missing. ``blob`` gives None for them until
    ``fetch_absent`` has been called.
    """

    def __init__(self, git_dir: Path) -> None:
        self._repo = _Repo(git_dir)
        self._git_dir = git_dir
        self._known: set[str] | None = None
        self._roots: dict[str, str] = {}
        self._trees: dict[str, Mapping[str, TreeEntry]] = {}
        self._blobs: dict[str, bytes] = {}
        self.absent: set[str] = set()

    def close(self) -> None:
        """End the git process."""
        self._repo.close()

    @property
    def source(self) -> str:
        """The address that the repository fetches from."""
        return self._repo.remotes.origin.url

    def tags(self) -> dict[str, str]:
        """The commit that each tag points to; tags whose objects are missing are left out."""
        found: dict[str, str] = {}
        for tag in self._repo.tags:
            try:
                found[tag.name] = tag.commit.hexsha
            except ValueError:
                continue
        return found

    def root(self, commit: str) -> str:
        """The tree of a commit. Raises SourceError when the commit is not there."""
        if commit not in self._roots:
            self._require(commit)
            self._roots[commit] = gitpython.Commit(self._repo, bytes.fromhex(commit)).tree.hexsha
        return self._roots[commit]

    def day(self, commit: str) -> str:
        """The committer's day (UTC, ISO 8601) of a commit. Raises SourceError when the commit is not there."""
        self._require(commit)
        seconds = gitpython.Commit(self._repo, bytes.fromhex(commit)).committed_date
        return datetime.fromtimestamp(seconds, tz=UTC).date().isoformat()

    def tree(self, name: str) -> Mapping[str, TreeEntry]:
        """The entries of a tree by file name. Raises SourceError when the tree is not there."""
        if name not in self._trees:
            self._require(name)
            self._trees[name] = {
                path: TreeEntry(mode=mode, name=entry.hex())
                for entry, mode, path in tree_entries_from_data(self._read(name))
            }
        return self._trees[name]

    def blob(self, name: str) -> bytes | None:
        """The bytes of a blob; None, and a note in ``absent``, when it has to be fetched first."""
        if name not in self._blobs:
            if name not in self._present():
                self.absent.add(name)
                return None
            self._blobs[name] = self._read(name)
        return self._blobs[name]

    def fetch_absent(self) -> int:
        """Fetch the blobs in ``absent``, and return their number. Raises SourceError as ``prefetch`` does."""
        count = self.prefetch(self.absent)
        self.absent.clear()
        return count

    def prefetch(self, blobs: Iterable[str]) -> int:
        """Make sure that ``blobs`` are present, with one request at most, and return how many were fetched.

        Raises SourceError when the source cannot be reached or lacks one.
        """
        missing = sorted(set(blobs) - self._present())
        if missing:
            # GitPython cannot fetch objects by name. The options are what git itself uses to fetch a missing object:
            # no negotiation, since blobs have no history to compare.
            remote.run(
                f"--git-dir={self._git_dir}",
                *("-c", "fetch.negotiationAlgorithm=noop"),
                *("fetch", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin"),
                source=self.source,
                what="Files of the release cannot be fetched.",
                stdin="\n".join(missing) + "\n",
            )
            self._present().update(missing)
        return len(missing)

    def forget_present(self) -> None:
        """Check again which objects are present, after another git command has fetched some."""
        self._known = None

    def _present(self) -> set[str]:
        if self._known is None:
            # GitPython can only ask for one object, and git would then fetch it.
            self._known = set(
                git.run(
                    f"--git-dir={self._git_dir}",
                    *("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)"),
                ).stdout.split()
            )
        return self._known

    def _require(self, name: str) -> None:
        if name not in self._present():
            raise self._unreadable(name, "the repository does not have it")

    def _read(self, name: str) -> bytes:
        try:
            content = self._repo.odb.stream(bytes.fromhex(name)).read()
        except ValueError as error:
            raise self._unreadable(name, str(error)) from error
        except OSError as error:  # git has ended, and no longer listens
            raise self._unreadable(name, f"git ended early: {error.strerror or error}") from error
        assert isinstance(content, bytes)
        return content

    def _unreadable(self, name: str, why: str) -> SourceError:
        return SourceError(
            f"The object {name} cannot be read from {self._git_dir}.",
            why=f"{why[0].upper()}{why[1:]}.",
            next_step=f"Delete {self._git_dir} and run the same command again.",
        )
