"""The files that ``install`` activates: one directory per build under the store's ``installed``, with a record of each.

They are hard links or copies, so that rebuilding or deleting a build never removes the running program.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import InstallError
from opencode_patcher.base.store import Store
from opencode_patcher.install.builds import Build
from opencode_patcher.install.failure import install_errors

RECORD = "record.json"
NEW = ".new"
"""The file's name while it is being written. The next run overwrites what a killed run left."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One file that can be activated, the same as the binary of ``build``, a directory in the store."""

    build: str
    tag: str
    version: str
    commit: str
    patchset: str
    target: str
    sha256: str
    file: Path

    @property
    def directory(self) -> Path:
        return self.file.parent


def check_build(build: Build) -> None:
    """Raises InstallError when the build's binary is not what its manifest says."""
    why = _difference(build)
    if why:
        raise InstallError(
            f"The build {build.directory.name} is damaged.",
            why=why,
            next_step=f"Build it again: opencode-patcher build {build.release.tag}",
        )


def _difference(build: Build) -> str:
    try:
        found = file_sha256(build.binary)
    except OSError as error:
        return f"{build.binary}: {error.strerror or error}."
    if found == build.sha256:
        return ""
    return (
        f"{build.binary} has changed since it was built.\nExpected SHA-256: {build.sha256}\nFound SHA-256:    {found}"
    )


def keep(store: Store, build: Build, take: Callable[[Path, Path], None]) -> Record:
    """The record of a build's file, which ``take(source, target)`` creates unless it exists unchanged.

    A damaged file is replaced in one step, because it may be the active one.
    Raises StoreError or InstallError when the store cannot be written, and what ``take`` raises.
    """
    directory = store.installed / build.directory.name
    known = read(directory)
    if known and is_unchanged(known):
        return known
    files.make_directory(directory)
    new = directory / NEW
    try:
        with install_errors(new):
            new.unlink(missing_ok=True)
        take(build.binary, new)
        record = Record(
            build=directory.name,
            tag=build.release.tag,
            version=build.release.number,
            commit=build.release.commit,
            patchset=build.ingredients.patchset,
            target=build.ingredients.target,
            sha256=build.sha256,
            file=directory / build.name,
        )
        with install_errors(new):
            new.replace(record.file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    files.write_json(directory / RECORD, dataclasses.asdict(record) | {"file": build.name})
    return record


def is_unchanged(record: Record) -> bool:
    """Whether the record's file is there, has the recorded hash and may be executed."""
    try:
        return os.access(record.file, os.X_OK) and file_sha256(record.file) == record.sha256
    except OSError:
        return False


def read(directory: Path) -> Record | None:
    """The record in one directory; None when it is missing or cannot be read."""
    try:
        record = documents.read(directory / RECORD, Record)
    except DocumentError:
        return None
    return dataclasses.replace(record, file=directory / record.file.name)


def read_all(store: Store) -> tuple[Record, ...]:
    """Every record in the store, by the name of the build."""
    directories = sorted(path for path in store.installed.glob("*") if not path.name.startswith("."))
    return tuple(record for path in directories if (record := read(path)))
