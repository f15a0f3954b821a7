"""Ending cooldowns. Running OpenCode processes notice it when they next look at the file: before each request, and
twice a second while a turn waits for that member.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from opencode_patcher.base import documents, files
from opencode_patcher.base.errors import StoreError, UsageError
from opencode_patcher.base.text import did_you_mean
from opencode_patcher.health import record
from opencode_patcher.health.record import Cooldown, Document

PATIENCE = 10.0
"""Seconds to wait for a process that is writing, which takes milliseconds."""

STALE = 5.0
"""A lock that is older than this many seconds was left by a process that has ended (as in
``templates/host/health-file.ts``).
"""


def clear(path: Path, member: str | None, now: datetime) -> tuple[Cooldown, ...]:
    """End the cooldowns of ``member`` (a provider with all its models, or ``provider/model``), or all of them. Returns
    those that have ended.

    Without a member the file is deleted, so that what is known about plans and earlier failures is forgotten as well;
    pins and skips stay.
    Raises UsageError when the file cannot be read, or has nothing about ``member``, and StoreError when it cannot be
    written.
    """
    with alone(path):
        document = record.load(path)
        found = record.health(document, now).cooldowns
        if member is None:
            files.remove_file(path)
            if document.steer:
                write(path, Document(version=document.version, members={}, steer=document.steer))
            return found
        ended = tuple(item for item in found if _is_meant(item, member))
        if not ended:
            raise UsageError(
                f"{member} is not being avoided.",
                why=did_you_mean(member, [item.name for item in found]),
                next_step="See who is: opencode-patcher health",
            )
        milliseconds = int(now.timestamp() * 1000)
        # Each member gets a record of a success. Without any record, other processes would write back what they know.
        members: dict[str, object] = dict(document.members)
        for item in ended:
            key = f"{item.provider}/{item.model or ''}"
            before = documents.shaped(members[key], dict[str, Any])
            members[key] = before | {"since": milliseconds, "until": before["since"], "failures": 0}
        write(path, replace(document, members=members))
        return ended


def write(path: Path, document: Document) -> None:
    """Replace the file, which only its user can read. Raises StoreError."""
    rest = {"accounts": document.accounts, "steer": document.steer}
    value: Mapping[str, object] = {
        "version": document.version,
        "members": document.members,
        **{key: part for key, part in rest.items() if part},
    }
    files.write_bytes(path, files.json_text(value).encode("utf-8", "surrogatepass"), mode=0o600)


def _is_meant(item: Cooldown, member: str) -> bool:
    return member in (item.name, item.provider)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of the file (a directory beside it), so that no OpenCode writes it until the block ends. Raises
    StoreError.
    """
    lock = path.with_name(f"{path.name}.lock")
    until = time.monotonic() + PATIENCE
    while path.parent.is_dir():
        try:
            lock.mkdir()
        except FileExistsError:
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > STALE:
                    lock.rmdir()
                    continue
            if time.monotonic() > until:
                raise StoreError(
                    f"{path} is being written.", why=f"{lock} exists.", next_step="Try again in a moment."
                ) from None
            time.sleep(0.01)
        except OSError as error:
            raise StoreError(f"{path} cannot be changed.", why=f"{error.strerror or error}.") from error
        else:
            break
    try:
        yield
    finally:
        with suppress(OSError):
            lock.rmdir()
