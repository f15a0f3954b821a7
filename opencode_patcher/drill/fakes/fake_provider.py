"""A running fake provider: it answers according to its plan and faults, and keeps a record. No socket."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

from opencode_patcher.drill.fakes.answer import Refusal, Stream, decide
from opencode_patcher.drill.fakes.conversation import Purpose, purpose
from opencode_patcher.drill.fakes.exchange import Exchange, Sent
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.protocol import WireProtocol
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.tools import FinishedTools


class FakeProvider:
    """One provider: decides each answer, and records what was asked and sent. A ``Host`` listens for it.

    ``base_url`` is the address in OpenCode's configuration; the host sets it. ``exchanges`` may be read at any time.
    ``tools`` are the tools that faults wait for.
    """

    def __init__(self, provider: ProviderSpec, turns: tuple[Turn, ...], tools: FinishedTools | None = None) -> None:
        self.provider = provider
        self.tools = tools or FinishedTools()
        self.protocol: WireProtocol = provider.protocol
        self._turns = turns
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []
        self._numbers: Counter[Purpose] = Counter()
        self._first: float | None = None
        self._stopping = threading.Event()
        self.base_url = ""

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All requests so far, in order of arrival."""
        with self._lock:
            return tuple(self._exchanges)

    def renew(self, provider: ProviderSpec, turns: tuple[Turn, ...]) -> None:
        """Use other faults and turns at the same address, between two turns; all exchanges are forgotten."""
        with self._lock:
            self._exchanges = []
            self._numbers.clear()
            self._first = None
            self.provider, self._turns = provider, turns

    def stop(self) -> None:
        """End every answer that is in progress. May be called twice."""
        self._stopping.set()

    def open_exchange(self, headers: dict[str, str], body: dict[str, object]) -> tuple[int, Refusal | Stream]:
        """Record a request and decide its answer; the other methods take the number it returns."""
        arrived = time.monotonic()
        with self._lock:
            why = purpose(self.protocol.conversation(body))
            number = self._numbers[why]
            self._numbers[why] += 1
            self._first = arrived if self._first is None else self._first
            decision = decide(
                protocol=self.protocol,
                provider=self.provider,
                turns=self._turns,
                headers=headers,
                body=body,
                number=number,
                elapsed=arrived - self._first,
            )
            self._exchanges.append(
                Exchange(
                    provider=self.provider.id,
                    purpose=decision.purpose,
                    arrived=arrived,
                    body=body,
                    number=number,
                    violations=decision.violations,
                    fault=decision.fault,
                )
            )
            return len(self._exchanges) - 1, decision.answer

    def refuse_path(self, method: str, path: str) -> None:
        """Record a request to a path that the protocol does not have, which is always a violation."""
        now = time.monotonic()
        with self._lock:
            self._exchanges.append(
                Exchange(
                    provider=self.provider.id,
                    purpose=Purpose.TURN,
                    arrived=now,
                    finished=now,
                    body={},
                    status=404,
                    violations=(f"there is no {method} {path}",),
                )
            )

    def record(self, index: int, **changes: Any) -> None:
        with self._lock:
            self._exchanges[index] = replace(self._exchanges[index], **changes)

    def record_sent(self, index: int, sent: Sent) -> None:
        with self._lock:
            exchange = self._exchanges[index]
            self._exchanges[index] = replace(exchange, sent=(*exchange.sent, sent))

    def wait(self, seconds: float) -> bool:
        """Wait, unless the provider is stopped meanwhile. Returns whether it was."""
        return self._stopping.wait(seconds)
