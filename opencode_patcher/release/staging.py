"""The directory in which a release is made, beside the one that it becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.store import Store

NOTE = "releasing.json"
"""A file in the store that says where a release is being made. It outlives a run that is killed."""


@contextmanager
def staged(out: Path, store: Store) -> Iterator[Path]:
    """``files.staged_directory(out)``, after deleting what a killed run has left, wherever it was.

    The caller holds the lock of the builds, so the run of which there is a note is dead. Raises StoreError.
    """
    note = store.root / NOTE
    _sweep(note)
    try:
        with files.staged_directory(out) as staging:
            files.write_json(note, {"out": str(out), "staging": str(staging)})
            yield staging
    finally:
        note.unlink(missing_ok=True)


def _sweep(note: Path) -> None:
    try:
        left = json.loads(note.read_text(encoding="utf-8"))
        out, staging = Path(left["out"]), Path(left["staging"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    files.undo_staged(out, staging)
