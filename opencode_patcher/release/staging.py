"""The directory in which a release is made, beside the one that it replaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.store import Store

NOTE = "releasing.json"
"""A file in the store that says where a release is being made. It outlives a run that is killed."""


@contextmanager
def staged(out: Path, store: Store) -> Iterator[Path]:
    """``files.staged_directory(out)``, after deleting what a killed run left, wherever that was.

    The caller holds the build mutex, so the run that left a note is dead. Raises StoreError.
    """
    note = store.root / NOTE
    _sweep(note)
    try:
        with files.staged_directory(out) as staging:
            files.write_json(note, {"out": str(out), "staging": str(staging)})
            yield staging
    finally:
        note.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class _Note:
    out: Path
    staging: Path


def _sweep(note: Path) -> None:
    try:
        left = documents.read(note, _Note, any_bytes=True)
    except DocumentError:
        return
    files.undo_staged(left.out, left.staging)
