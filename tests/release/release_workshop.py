"""A store with the small upstream in it, and releases of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opencode_patcher import pipeline
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.drill import Report
from opencode_patcher.release import Made, Order
from opencode_patcher.toolchain.targets import Target
from opencode_patcher.upstream.lock import Lock


def undrilled(binary: Path, reporter: Reporter) -> Report:
    """In the place of the drill, which has tests of its own."""
    return Report(binary=binary, version="1.0.0", patched=True, verdicts=(), seconds=0.0)


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A store with the small upstream in it. ``native`` runs on this machine, ``foreign`` does not."""

    store: Store
    request: Request
    lock: Lock
    native: Target
    foreign: Target

    def order(self, **changes: object) -> Order:
        values: dict[str, object] = {"request": self.request, "targets": (self.native, self.foreign)}
        return Order(**(values | changes))  # type: ignore[arg-type]

    def release(self, out: Path, order: Order | None = None) -> Made:
        return pipeline.release(order or self.order(), out, self.store, SilentReporter(), undrilled, lock=self.lock)
