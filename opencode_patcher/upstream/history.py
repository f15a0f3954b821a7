"""What happened to a file that a release no longer has, from git's history, fetched only as far back as needed.

The store's repository is shallow and has no file contents. The commits between two releases are fetched without
contents first; to see whether a commit renamed a file, git compares contents, and fetches only those of that commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opencode_patcher.base import git
from opencode_patcher.base.errors import ProcessError, SourceError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import remote
from opencode_patcher.upstream.repository import Repository

RENAMES_FOLLOWED = 8
"""How often a file may have been renamed between two releases before it counts as gone."""


@dataclass(frozen=True, kw_only=True)
class Departure:
    """The commit that moved or deleted the file at ``path``; ``moved_to`` is None when it deleted it.

    ``date`` is the committer's, as ISO 8601; ``subject`` the first line of the message.
    """

    path: str
    moved_to: str | None
    commit: str
    date: str
    subject: str

    def __str__(self) -> str:
        what = f"moved to {self.moved_to}" if self.moved_to else "deleted"
        return f"{self.path} was {what} by {self.commit[:12]} of {self.date[:10]} ({self.subject})"


def departures(
    repository: Repository, before: Release, after: Release, paths: Iterable[str], reporter: Reporter
) -> dict[str, tuple[Departure, ...]]:
    """What happened to each of ``paths`` that ``before`` has and ``after`` lacks, oldest first.

    A file that was renamed is followed, so the last departure says where it is now, or that it is gone. A path that
    history does not explain is left out. ``repository`` holds both releases; the caller holds the build mutex. Raises
    SourceError when the commits between them cannot be fetched.
    """
    wanted = list(paths)
    if not wanted or before.version >= after.version:
        return {}
    with reporter.phase(f"Looking for the commit between {before.tag} and {after.tag} that moved a file"):
        _fetch_between(repository, before, after)
        found = {path: _follow(repository, before, after, path) for path in wanted}
    return {path: steps for path, steps in found.items() if steps}


def _fetch_between(repository: Repository, before: Release, after: Release) -> None:
    """Fetch the commits since ``before``, and one more: the oldest commit has no parent to compare with."""
    reference = f"refs/tags/{after.tag}"
    for depth in (f"--shallow-exclude={before.tag}", "--deepen=1"):
        remote.run(
            f"--git-dir={repository.path}",
            "fetch",
            depth,
            "--no-tags",
            "--no-write-fetch-head",
            "--filter=blob:none",
            "origin",
            f"+{reference}:{reference}",
            source=repository.source,
            what=f"The history between {before.tag} and {after.tag} cannot be fetched.",
        )


def _follow(repository: Repository, before: Release, after: Release, path: str) -> tuple[Departure, ...]:
    steps: list[Departure] = []
    start = before.commit
    while len(steps) < RENAMES_FOLLOWED:
        step = _departure(repository, start, after.commit, path)
        if step is None:
            break
        steps.append(step)
        if step.moved_to is None:
            break
        start, path = step.commit, step.moved_to
    return tuple(steps)


def _departure(repository: Repository, start: str, end: str, path: str) -> Departure | None:
    """The last commit after ``start`` that removed ``path``; None when there is none."""
    logged = _git(
        repository,
        *("log", "-1", "--no-renames", "--diff-filter=D", "--full-history", "--format=%H%x00%cI%x00%s"),
        *(f"{start}..{end}", "--", f":(literal){path}"),
    ).strip("\n")
    if not logged:
        return None
    commit, date, subject = logged.split("\0")
    renamed = _git(
        repository, "diff-tree", "-r", "-z", "-M", "--no-commit-id", "--diff-filter=R", "--name-status", commit
    ).split("\0")
    targets = dict(zip(renamed[1::3], renamed[2::3], strict=False))
    return Departure(path=path, moved_to=targets.get(path), commit=commit, date=date, subject=subject)


def _git(repository: Repository, *arguments: str) -> str:
    try:
        return git.run(f"--git-dir={repository.path}", *arguments).stdout
    except ProcessError as error:
        raise SourceError(
            "Upstream's history cannot be read.",
            why=error.output or error.why,
            next_step="Check the network, or name another source with --source.",
        ) from error
