"""One bare, partial, shallow repository a source, kept in the store.

Of a release only the commit and its trees are fetched (depth 1, no file contents); file contents come when
a tree is checked out or a file is read. A second release transfers what differs from those already there.
The release is asked for by its tag, which every server allows; a server that cannot filter sends all files
of that one commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opencode_patcher.base import git
from opencode_patcher.base import store as storage
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.text import without_credentials
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import lock, objects, remote

CONFIGURATION = Path(__file__).with_name("repository.config")
MARKER = "opencode-patcher.json"


def fetch(store: Store, source: str, release: Release, reporter: Reporter) -> Path:
    """The bare repository that holds ``release``; asks the source only when it is not there yet.

    The caller holds the store's lock. An interrupted run leaves nothing that the next one trips over: a
    repository that was not finished is made again. Raises SourceError when the source cannot be reached,
    does not have the tag, or its tag ends at another commit than ``release`` says.
    """
    return fetch_many(store, source, (release,), reporter)


def fetch_many(store: Store, source: str, wanted: Iterable[Release], reporter: Reporter) -> Path:
    """The bare repository that holds all of ``wanted``; those that are missing come in one request.

    As ``fetch`` otherwise.
    """
    repository = path_of(store, source)
    if not is_usable(repository):
        remote.require_git()
        _create(repository, remote.address(source))
    _clear_leftovers(repository)
    present = fetched_commits(repository)
    missing = [release for release in wanted if present.get(release.tag) != release.commit]
    if not missing:
        return repository
    title = missing[0].tag if len(missing) == 1 else f"{len(missing)} releases"
    with reporter.phase(f"Fetching {title}") as phase:
        before = objects_size(repository)
        references = [f"refs/tags/{release.tag}" for release in missing]
        remote.run(
            f"--git-dir={repository}",
            "fetch",
            "--depth=1",
            "--no-tags",
            "--no-write-fetch-head",
            "--filter=blob:none",
            "origin",
            *(f"+{reference}:{reference}" for reference in references),
            source=source,
            what=f"{title} cannot be fetched from {without_credentials(source)}.",
            reporter=reporter,
        )
        present = fetched_commits(repository)
        for release in missing:
            found = present.get(release.tag)
            if found != release.commit:
                raise lock.moved(release.tag, expected=release.commit, found=found or "none")
        phase.detail(f"{(objects_size(repository) - before) / 1e6:.1f} MB")
    return repository


def path_of(store: Store, source: str) -> Path:
    """Where the store keeps a source's repository. Raises SourceError when it is no address and no path."""
    return store.sources / remote.slug(source)


def package_texts(repository: Path, commit: str) -> dict[str, str]:
    """The text of every ``package.json`` of a commit by its path, as ``workspace.closure`` wants it."""
    with objects.open_reader(repository, commit) as read:
        paths = [path for path in read.entries if path == "package.json" or path.endswith("/package.json")]
        objects.prefetch(repository, (read.entries[path].blob for path in paths))
        return {path: (read(path) or b"").decode("utf-8", "replace") for path in paths}


def is_usable(repository: Path) -> bool:
    """Whether a repository in the store was finished and still has the parts that git asks for."""
    return all((repository / name).exists() for name in (MARKER, "HEAD", "config", "objects", "refs"))


def fetched_commits(repository: Path) -> dict[str, str]:
    """The commit that each tag in the store's repository ends at."""
    listed = git.run(
        f"--git-dir={repository}",
        "for-each-ref",
        "--format=%(refname:strip=2) %(objectname) %(*objectname)",
        "refs/tags/",
    ).stdout
    return {words[0]: words[-1] for line in listed.splitlines() if (words := line.split())}


def objects_size(repository: Path) -> int:
    """Bytes in the repository's objects; a fetch adds what was transferred, and an index of it."""
    return sum(path.stat().st_size for path in (repository / "objects").rglob("*") if path.is_file())


def _create(repository: Path, address: str) -> None:
    with storage.staged_directory(repository) as staging:
        git.run("init", "--quiet", "--bare", "--template=", staging)
        configuration = staging / "config"
        storage.write_text(
            configuration,
            configuration.read_text(encoding="utf-8") + CONFIGURATION.read_text(encoding="utf-8"),
        )
        for name, value in {"url": address, "promisor": "true", "partialclonefilter": "blob:none"}.items():
            git.run(f"--git-dir={staging}", "config", f"remote.origin.{name}", value)
        storage.write_json(staging / MARKER, {"source": without_credentials(address)})


def _clear_leftovers(repository: Path) -> None:
    """Remove what a killed git left for the next one to stumble over; the caller holds the store's lock."""
    for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*"):
        for path in repository.glob(pattern):
            path.unlink(missing_ok=True)
