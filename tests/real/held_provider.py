"""Fake providers that a test lets go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from opencode_patcher.drill.drivers.home import Home, configuration, prepare
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.server import FakeProvider
from opencode_patcher.drill.scenarios.scenario import Provider


class HeldProvider(FakeProvider):
    """A provider whose delays and pauses last until the test lets it go on, however slow the machine is."""

    def __init__(self, provider: Provider, turns: tuple[Turn, ...]) -> None:
        super().__init__(provider, turns)
        self._going_on = threading.Event()

    def go_on(self) -> None:
        self._going_on.set()

    def wait(self, seconds: float) -> bool:
        while not self._going_on.is_set():
            if super().wait(0.02):
                return True
        return super().wait(0)


@contextmanager
def holding(place: Path, turn: Turn, *providers: Provider) -> Iterator[tuple[Home, Sequence[HeldProvider]]]:
    """A home at ``place`` whose OpenCode prefers these providers, in this order; they serve while the block runs."""
    with ExitStack() as stack:
        held = [HeldProvider(provider, (turn,)) for provider in providers]
        for one in held:
            one.start()
            stack.callback(one.stop)
        urls = {one.provider.id: one.base_url for one in held}
        yield prepare(place, configuration(providers, urls, priority=True)), held
