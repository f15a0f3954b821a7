"""Only one run at a time may change the sources, trees and builds of a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opencode_patcher.base import store as storage
from opencode_patcher.base.guard import guarding
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store


@contextmanager
def one_at_a_time(store: Store, reporter: Reporter, *, wait: bool = True) -> Iterator[None]:
    """Hold the mutex of the builds: to fetch, patch or build in the store. Waiting for it is announced. What is run
    meanwhile ends with this process, so that nothing works in the store once the mutex is free again.

    Raises StoreError when the store cannot be locked, or when another run holds the mutex and ``wait`` is False.
    """

    def waiting() -> None:
        reporter.warn(
            "Another run of opencode-patcher is at work; waiting for it to finish. (build --no-wait does not wait.)"
        )

    with store.mutex("build", wait=wait, on_wait=waiting), guarding():
        # Only while no other run is active are leftovers of a killed run not somebody's work in progress.
        storage.sweep(store)
        yield
