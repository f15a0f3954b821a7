"""What the user wants in all sessions: a pin asks one member only, a skip never asks one.

It is in the health file, so running OpenCode processes follow it from their next request on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import StoreError
from opencode_patcher.health import record
from opencode_patcher.health.clear import alone, write
from opencode_patcher.health.record import Steer


def pin(path: Path, model: str, member: str) -> Steer:
    """Ask only ``member`` for the combined model ``model`` (without ``combined/``). It is no longer skipped.

    Raises UsageError when the file cannot be read, StoreError when it cannot be written, as all functions here.
    """
    return _change(
        path,
        lambda old: Steer(pins={**old.pins, model: member}, skips=tuple(name for name in old.skips if name != member)),
    )


def skip(path: Path, member: str) -> Steer:
    """Stop asking ``member``, a provider or ``provider/model``. Pins to it end."""
    return _change(
        path,
        lambda old: Steer(
            pins={model: name for model, name in old.pins.items() if name != member},
            skips=tuple(dict.fromkeys((*old.skips, member))),
        ),
    )


def reset(path: Path, name: str | None) -> Steer:
    """End the pin of a combined model, the skip of a member, or all of them."""

    def change(old: Steer) -> Steer:
        if name is None:
            return Steer()
        model = name.removeprefix("combined/")
        return Steer(
            pins={key: member for key, member in old.pins.items() if key != model and member != name},
            skips=tuple(member for member in old.skips if member != name),
        )

    return _change(path, change)


def _change(path: Path, change: Callable[[Steer], Steer]) -> Steer:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be made.", why=f"{error.strerror or error}.") from error
    with alone(path):
        document = record.load(path)
        new = change(record.steer(document))
        plain = {"pins": dict(new.pins), "skips": list(new.skips)} if new else {}
        if plain or files.exists(path):
            write(path, replace(document, steer=plain))
        return new
