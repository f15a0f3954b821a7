"""The record of what the tool wrote into a work tree. It is in the tree's git directory, where git ignores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.documents import DocumentError, Format, MissingError
from opencode_patcher.base.errors import StoreError
from opencode_patcher.patchset import hints, paths

FILE_NAME = "opencode-patcher-change.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class WrittenFiles:
    """By path, the SHA-256 (hex) of each content that we may have given a file: two while it changes.

    ``digest`` is that of the Change in the tree, "" while one is being applied.
    """

    files: Mapping[str, frozenset[str]] = field(default_factory=dict)
    digest: str = ""


def read(git_dir: Path) -> WrittenFiles:
    """The record of a work tree, empty when nothing was written. Raises StoreError when it is damaged."""
    path = git_dir / FILE_NAME
    try:
        found = documents.read(path, WrittenFiles, format=Format(FORMAT))
        if refused := [name for name in found.files if paths.problem(name)]:
            raise DocumentError(f"It names the path {refused[0]!r}.")
    except MissingError:
        return WrittenFiles()
    except DocumentError as error:
        raise StoreError(
            f"The record of what was patched cannot be read: {path}.",
            why=str(error),
            next_step=f"To start from the pristine release: {hints.discard_edits(git_dir.name)}",
        ) from error
    return found


def write(git_dir: Path, record: WrittenFiles) -> None:
    """Replace the record. Raises StoreError when it cannot be written."""
    content = {path: sorted(hashes) for path, hashes in record.files.items()}
    files.write_json(git_dir / FILE_NAME, {"format": FORMAT, "digest": record.digest, "files": content})
