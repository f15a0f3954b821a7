"""One bare, partial, shallow repository for each source, kept in the store.

Only the commit and trees of a release are fetched (depth 1, no file contents); file contents follow when a work tree is
made or a file is read. For a second release only the differences are transferred. The release is requested by its tag,
which every server allows; a server that cannot filter sends all files of that one commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files, git
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.text import without_credentials
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import lock, remote
from opencode_patcher.upstream.objects import Objects
from opencode_patcher.upstream.snapshot import Snapshot

CONFIGURATION = Path(__file__).with_name("repository.config")
MARKER = "opencode-patcher.json"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """The store's copy of a source, open for fetching and reading; made by ``opened`` and ``opened_at``."""

    path: Path
    objects: Objects

    @property
    def source(self) -> str:
        """The address that it fetches from."""
        return self.objects.source

    def fetch(self, wanted: Iterable[Release], reporter: Reporter) -> None:
        """Fetch those of ``wanted`` that are missing, in one request. The caller holds the build mutex.

        Raises SourceError when the source cannot be reached, does not have a tag, or a tag points to another commit
        than the release says.
        """
        present = self.objects.tags()
        missing = [release for release in wanted if present.get(release.tag) != release.commit]
        if not missing:
            return
        title = missing[0].tag if len(missing) == 1 else f"{len(missing)} releases"
        with reporter.phase(f"Fetching {title}") as phase:
            before = self.size()
            references = [f"refs/tags/{release.tag}" for release in missing]
            # GitPython would run the same command, but this explains what went wrong.
            remote.run(
                f"--git-dir={self.path}",
                *("fetch", "--depth=1", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "origin"),
                *(f"+{reference}:{reference}" for reference in references),
                source=self.source,
                what=f"{title} cannot be fetched from {without_credentials(self.source)}.",
                reporter=reporter,
            )
            self.objects.forget_present()
            present = self.objects.tags()
            for release in missing:
                found = present.get(release.tag)
                if found != release.commit:
                    raise lock.moved(release.tag, expected=release.commit, found=found or "none")
            phase.detail(f"{(self.size() - before) / 1e6:.1f} MB")

    def snapshot(self, release: Release) -> Snapshot:
        """The files of a fetched release."""
        return self.at(release.commit)

    def at(self, commit: str) -> Snapshot:
        """The files of any commit in the repository."""
        return Snapshot(commit=commit, objects=self.objects)

    def size(self) -> int:
        """The size of the repository's objects in bytes; a fetch adds the data it transfers and an index."""
        return sum(path.stat().st_size for path in (self.path / "objects").rglob("*") if path.is_file())


@contextmanager
def opened(store: Store, source: str) -> Iterator[Repository]:
    """The store's repository of ``source`` (URL or path), made if needed.

    The caller holds the build mutex. A repository that an interrupted run left unfinished is made again. Raises
    SourceError when ``source`` is neither an address nor a path or git cannot be used, StoreError when the store cannot
    be written.
    """
    path = remote.path_of(store, source)
    if not is_usable(path):
        remote.require_git()
        _create(path, remote.address(source))
    _clear_leftovers(path)
    with opened_at(path) as repository:
        yield repository


@contextmanager
def opened_at(path: Path) -> Iterator[Repository]:
    """The repository at ``path``, made by ``opened``."""
    objects = Objects(path)
    try:
        yield Repository(path=path, objects=objects)
    finally:
        objects.close()


def is_usable(path: Path) -> bool:
    """Whether a repository in the store is complete."""
    return all((path / name).exists() for name in (MARKER, "HEAD", "config", "objects", "refs"))


def _create(path: Path, address: str) -> None:
    with files.staged_directory(path) as staging:
        git.run("init", "--quiet", "--bare", "--template=", staging)
        configuration = staging / "config"
        files.write_text(
            configuration,
            configuration.read_text(encoding="utf-8") + CONFIGURATION.read_text(encoding="utf-8"),
        )
        # git quotes the address as its configuration file requires.
        for name, value in {"url": address, "promisor": "true", "partialclonefilter": "blob:none"}.items():
            git.run(f"--git-dir={staging}", "config", f"remote.origin.{name}", value)
        files.write_json(staging / MARKER, {"source": without_credentials(address)})


def _clear_leftovers(path: Path) -> None:
    """Remove files left by a killed git that would stop the next one. The caller holds the build mutex."""
    for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*"):
        for leftover in path.glob(pattern):
            leftover.unlink(missing_ok=True)
