"""A release's work tree in the store.

The tree is a linked work tree (``git worktree``) of the source's repository, not a clone: it shares the objects, gets
missing files from the same source, and has a git directory of its own for the index and our stamps. It is always at the
same path, because the path of ``node_modules`` goes into the binary: same path, same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, files, git
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import ProcessError, StoreError
from opencode_patcher.base.line import Line
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import remote, sparse
from opencode_patcher.upstream.repository import Repository
from opencode_patcher.upstream.workspace import Workspace

_DELETE_HINT = "Keep what you changed there, delete it (rm -r {path}), and run the same command again."

_ADD_FLAGS = ("--force", "--force", "--detach", "--no-checkout")
"""With --force given twice, git also replaces the record of a missing tree, even one left locked by a killed git."""

MARKER = "opencode-patcher.json"
"""A file in the tree's git directory, written last: the commit and patterns that are checked out."""


@dataclass(frozen=True, kw_only=True)
class Worktree:
    """A checked-out release. ``git_dir`` is the tree's own git directory, outside the work tree."""

    path: Path
    git_dir: Path
    line: Line
    release: Release
    packages: tuple[str, ...]


def checkout(
    store: Store,
    repository: Repository,
    release: Release,
    workspace: Workspace,
    reporter: Reporter,
    *,
    with_tests: bool = False,
) -> Worktree:
    """The sparse work tree of ``release`` for ``workspace``, made if needed.

    ``repository`` holds the release; the caller holds the build mutex. An existing tree is not touched, patched files
    included. If other packages are needed than last time, files are added and removed, and changed files stay. Raises
    StoreError for a directory that is not ours or holds another commit, SourceError when files cannot be fetched.
    """
    path = store.trees / repository.path.name / release.tag
    patterns = list(sparse.patterns(workspace, with_tests=with_tests))
    wanted: dict[str, object] = {"commit": release.commit, "patterns": patterns}
    git_dir = _git_dir(path, repository.path)
    done = _read_marker(git_dir) if git_dir else None
    if git_dir is None or done is None:
        _require_free(path, git_dir)
        with reporter.phase(f"Checking out {release.tag}") as phase:
            before = repository.size()
            git_dir = _create(path, repository, release, patterns, reporter)
            phase.detail(f"{(repository.size() - before) / 1e6:.1f} MB")
    elif done.get("commit") != release.commit:
        raise StoreError(
            f"The work tree {path} belongs to another commit.",
            why=f"It was made from {done.get('commit')}; {release.tag} is now {release.commit}.",
            next_step=_DELETE_HINT.format(path=path),
        )
    elif done != wanted:
        with reporter.phase("Checking out other packages"):
            _reapply(path, git_dir, repository, patterns, reporter)
    if done != wanted:
        files.write_json(git_dir / MARKER, wanted)
    return Worktree(path=path, git_dir=git_dir, line=workspace.line, release=release, packages=workspace.packages)


def _create(path: Path, repository: Repository, release: Release, patterns: list[str], reporter: Reporter) -> Path:
    """Make the tree, after removing what a killed run left in its place."""
    with files.staged_directory(path):
        pass  # replaces what is there with an empty directory, which git accepts
    # GitPython supports neither work trees nor sparse checkouts.
    git.run(f"--git-dir={repository.path}", "worktree", "add", *_ADD_FLAGS, path, release.commit)
    git_dir = _git_dir(path, repository.path)
    assert git_dir is not None, "git worktree add writes the link"
    _write_patterns(git_dir, patterns)
    _fill(path, repository, reporter, "read-tree", "-m", "-u", "HEAD")
    return git_dir


def _reapply(path: Path, git_dir: Path, repository: Repository, patterns: list[str], reporter: Reporter) -> None:
    (git_dir / "index.lock").unlink(missing_ok=True)
    _write_patterns(git_dir, patterns)
    _fill(path, repository, reporter, "sparse-checkout", "reapply")


def _fill(path: Path, repository: Repository, reporter: Reporter, *command: str) -> None:
    """Run the command that writes files; git fetches those that are missing, all in one request."""
    try:
        git.in_tree(path, *command, reporter=reporter)
    except ProcessError as error:
        raise remote.explained(
            error, source=repository.source, what=f"The files of the release cannot be written to {path}."
        ) from error


def _write_patterns(git_dir: Path, patterns: list[str]) -> None:
    files.write_text(git_dir / "info" / "sparse-checkout", "".join(f"{pattern}\n" for pattern in patterns))


def _git_dir(path: Path, repository: Path) -> Path | None:
    """The git directory that the tree's ``.git`` file names, if the tree is one of ``repository``'s.

    Both name each other by absolute paths, which are wrong after the store was moved or copied. They are corrected
    here.
    """
    try:
        link = files.read_text(path / ".git")
    except OSError:
        return None
    named = path / link.removeprefix("gitdir: ").strip()
    git_dir = repository.absolute() / "worktrees" / named.name
    if not (git_dir / "HEAD").is_file():
        return None
    if named.resolve() != git_dir.resolve():
        if named.parts[-4:] != git_dir.parts[-4:]:
            return None
        files.write_text(path / ".git", f"gitdir: {git_dir}\n")
        files.write_text(git_dir / "gitdir", f"{path.absolute() / '.git'}\n")
    return git_dir


def _read_marker(git_dir: Path) -> dict[str, object] | None:
    try:
        return documents.read(git_dir / MARKER, dict[str, object])
    except DocumentError:
        return None


def _require_free(path: Path, git_dir: Path | None) -> None:
    """Refuse to replace anything but an empty directory or an unfinished tree of ours."""
    if git_dir is not None or not path.exists():
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    raise StoreError(
        f"The work tree {path} cannot be used.",
        why="It was not made by this tool, or its repository in the store was deleted.",
        next_step=_DELETE_HINT.format(path=path),
    )
