"""The project's lock: the release that is built unless another one is asked for, by tag and commit.

Anybody who can push can move a tag; nobody can change a commit. The lock also pins the models catalogue that goes into
the binary, and bun for every platform, so that the same lock gives the same bytes and no registry can change which
programs run.

In a checkout of the project the lock is a file of the package, and ``update`` changes it there, to be committed. Users
cannot change an installed package: there ``update`` keeps its lock in the store, and that one is used as long as it is
newer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher.base import documents, files, resources
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release, version_of

LOCK_FILE = Path(__file__).with_name(OPENCODE_1.lock)

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class CataloguePin:
    """A models catalogue in a Python package: name, version, and SHA-256 of the wheel in hexadecimal."""

    package: str
    version: str
    sha256: str


BunPins = Mapping[str, Mapping[str, str]]
"""For each bun version, by the name of the npm package that holds it: the archive's integrity, ``sha512-`` and
base64."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What the lock file says."""

    release: Release
    catalogue: CataloguePin
    bun: BunPins = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _File:
    tag: str
    commit: str
    catalogue: CataloguePin
    bun: dict[str, dict[str, str]] = field(default_factory=dict)


def read_lock(path: Path = LOCK_FILE) -> Lock:
    """The lock in a JSON file ``{"tag", "commit", "catalogue": {"package", "version", "sha256"}, "bun": BunPins}``.

    Raises SourceError when the file cannot be read or has other content.
    """
    try:
        said = documents.read(path, _File)
        version = version_of(said.tag)
        if version is None:
            raise DocumentError(f"{said.tag!r} is not a release tag.")
        if not _COMMIT.fullmatch(said.commit):
            raise DocumentError(f"{said.commit!r} is not a commit id of 40 hexadecimal digits.")
    except DocumentError as error:
        raise SourceError(
            f"The lock {path} cannot be read.",
            why=str(error),
            next_step="Restore it from the project's history, or install opencode-patcher again.",
        ) from error
    release = Release(tag=said.tag, version=version, commit=said.commit)
    return Lock(release=release, catalogue=said.catalogue, bun=said.bun)


def packed_file(line: Line = OPENCODE_1) -> Path:
    """The package's own lock of a line."""
    return LOCK_FILE.with_name(line.lock)


def place(store: Store, line: Line = OPENCODE_1) -> Path:
    """The file that ``update`` writes: the package's own in a checkout, else one in the store."""
    return packed_file(line) if resources.is_checkout() else store.root / line.lock


def current(store: Store, line: Line = OPENCODE_1) -> Lock:
    """The lock of a line that is in force: the package's, or the store's if there is one and it is newer.

    Raises SourceError as ``read_lock`` does.
    """
    packed, own = read_lock(packed_file(line)), place(store, line)
    if own == packed_file(line) or not own.exists():
        return packed
    return max(packed, read_lock(own), key=lambda lock: lock.release.version)


def write_lock(lock: Lock, path: Path = LOCK_FILE) -> None:
    """Replace the lock file in one step. Raises StoreError when it cannot be written."""
    files.write_json(path, as_data(lock))


def as_data(lock: Lock) -> dict[str, object]:
    """What the lock file says."""
    pin = lock.catalogue
    return {
        "tag": lock.release.tag,
        "commit": lock.release.commit,
        "catalogue": {"package": pin.package, "version": pin.version, "sha256": pin.sha256},
        "bun": {version: dict(packages) for version, packages in lock.bun.items()},
    }


def check(release: Release, lock: Lock) -> None:
    """Raises SourceError when ``release`` has the lock's tag but another commit."""
    if release.tag == lock.release.tag and release.commit != lock.release.commit:
        raise moved(release.tag, expected=lock.release.commit, found=release.commit)


def moved(tag: str, *, expected: str, found: str) -> SourceError:
    """The error for a tag that no longer points to the commit it pointed to before."""
    return SourceError(
        f"The tag {tag} has moved.",
        why=(
            f"Expected commit: {expected}\nFound commit:    {found}\n"
            "Release tags normally never move: the source may have been tampered with, or it is a fork that tags its "
            "own commits."
        ),
        next_step="Compare the two commits before you trust the new one, or build another release.",
    )
