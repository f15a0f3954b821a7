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
    """Hold the build mutex, which is needed to fetch, patch or build in the store. Says so when it has to wait.
    Programs that are run meanwhile end with this process, so that nothing changes the store once the mutex is free
    again.

    Raises StoreError when the store cannot be locked, or when another run holds the mutex and ``wait`` is False.
    """

    def waiting() -> None:
        reporter.warn(
            "Another run of opencode-patcher is in progress; waiting for it to finish. "
            "(With --no-wait, build fails instead.)"
        )

    with store.mutex("build", wait=wait, on_wait=waiting), guarding():
        # Only while no other run is active can we tell leftovers of a killed run from work in progress.
        storage.sweep(store)
        yield
