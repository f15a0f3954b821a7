"""The tools that have finished, as reported by the driver: a fault may wait for them."""

from __future__ import annotations

import threading


class FinishedTools:
    """Tool calls that have ended, by their ids. Shared by the providers of one scenario."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ids: set[str] = set()

    def finish(self, id: str) -> None:
        """Note that a call has ended, successfully or not. May be called more than once for it."""
        with self._changed:
            self._ids.add(id)
            self._changed.notify_all()

    def wait(self, count: int, seconds: float) -> bool:
        """Wait until ``count`` calls have ended; False when that takes too long."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._ids) >= count, seconds)
