"""Fake providers that a test lets go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opencode_patcher.drill.drivers.home import Home, configuration, prepare
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.server import hosting


class HeldProvider(FakeProvider):
    """A provider whose delays and pauses last until the test lets it go on, however slow the machine is."""

    def __init__(self, provider: ProviderSpec, turns: tuple[Turn, ...]) -> None:
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
def holding(place: Path, turn: Turn, *providers: ProviderSpec) -> Iterator[tuple[Home, Sequence[HeldProvider]]]:
    """A home at ``place`` whose OpenCode prefers these providers, in this order; they serve while the block runs."""
    with hosting([HeldProvider(provider, (turn,)) for provider in providers]) as held:
        urls = {one.provider.id: one.base_url for one in held}
        yield prepare(place, configuration(providers, urls, priority=True)), held
