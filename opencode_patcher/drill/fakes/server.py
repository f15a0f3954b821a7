"""Fake providers: HTTP servers on 127.0.0.1 that answer as a scenario says, faults included."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

from opencode_patcher.drill.fakes.answer import Refusal, Stream, decide
from opencode_patcher.drill.fakes.conversation import Purpose, purpose
from opencode_patcher.drill.fakes.exchange import Exchange, Sent
from opencode_patcher.drill.fakes.faults import How
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.protocol import WireProtocol
from opencode_patcher.drill.scenarios.scenario import Provider, Scenario

HOST = "127.0.0.1"
BASE_PATH = "/v1"

STALL_CHECK_SECONDS = 0.05
"""How often a stalled answer looks whether the client has hung up."""

COMMENT = b": keep-alive\n\n"

_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER on, zero seconds: ``close`` sends a reset instead of an orderly end."""


class FakeProvider:
    """One provider of a scenario, serving from ``start`` to ``stop``.

    ``base_url`` is what OpenCode is configured with. ``exchanges`` may be read at any time.
    """

    def __init__(self, provider: Provider, turns: tuple[Turn, ...]) -> None:
        self.provider = provider
        self.protocol: WireProtocol = provider.protocol
        self._turns = turns
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []
        self._numbers: Counter[Purpose] = Counter()
        self._first: float | None = None
        self._stopping = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._placeholder: socket.socket | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self._port}{BASE_PATH}"

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All requests so far, in order of arrival."""
        with self._lock:
            return tuple(self._exchanges)

    def renew(self, provider: Provider, turns: tuple[Turn, ...]) -> None:
        """Go on under the same address with other faults and turns, between two turns; what was is forgotten."""
        with self._lock:
            self._exchanges = []
            self._numbers.clear()
            self._first = None
            self.provider, self._turns = provider, turns

    def start(self) -> None:
        """Listen on a free port; a provider that is not ``listening`` only keeps the port and refuses."""
        if not self.provider.listening:
            # A bound socket that does not listen refuses connections, and nobody else can get its port.
            self._placeholder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._placeholder.bind((HOST, 0))
            self._port = self._placeholder.getsockname()[1]
            return
        self._server = _Server(self)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end every answer that is under way. May be called twice."""
        self._stopping.set()
        if self._placeholder:
            self._placeholder.close()
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def open_exchange(self, headers: dict[str, str], body: dict[str, object]) -> tuple[int, Refusal | Stream]:
        """Record a request and decide its answer; the number names it to the other methods."""
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
        """Record a request to a path that the protocol does not have: it is a violation in any case."""
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
        """Wait, unless the provider is stopped meanwhile; whether it was."""
        return self._stopping.wait(seconds)


@contextmanager
def serving(scenario: Scenario) -> Iterator[Sequence[FakeProvider]]:
    """The scenario's providers, started, in its order; stopped at the end of the block."""
    with ExitStack() as stack:
        fakes = [FakeProvider(provider, scenario.asked) for provider in scenario.providers]
        for fake in fakes:
            fake.start()
            stack.callback(fake.stop)
        yield fakes


class _Server(socketserver.ThreadingTCPServer):
    """A plain TCP server: http.server's own looks up the host's name, which can take seconds."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, fake: FakeProvider) -> None:
        self.fake = fake
        super().__init__((HOST, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the drill; anything else is a defect and shows its traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        fake = self.server.fake
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        if self.path != BASE_PATH + fake.protocol.path:
            self._refuse_path()
            return
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._answer(400, b'{"error": {"message": "the body is not a JSON object"}}', {})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        index, answer = fake.open_exchange(headers, body)
        try:
            if isinstance(answer, Refusal):
                # Taken before the bytes go out: the client may come back before ``send`` returns.
                fake.record(index, status=answer.status, finished=time.monotonic())
                self._answer(answer.status, answer.body, dict(answer.headers))
            else:
                self._stream(index, answer)
        except ConnectionError:
            fake.record(index, hung_up=True)
            self.close_connection = True
        finally:
            if fake.exchanges[index].finished is None:
                fake.record(index, finished=time.monotonic())

    def do_GET(self) -> None:
        self._refuse_path()

    def _refuse_path(self) -> None:
        self.server.fake.refuse_path(self.command, self.path)
        self._answer(404, b'{"error": {"message": "no such path"}}', {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, index: int, answer: Stream) -> None:
        fake = self.server.fake
        if not answer.headless:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            fake.record(index, status=200)
        if answer.delay and fake.wait(answer.delay):
            self._reset()
            return
        for chunk in answer.chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk.data), chunk.data))
            fake.record_sent(index, Sent(at=time.monotonic(), kind=chunk.kind, text=chunk.text))
        if answer.pause and answer.how in {How.RESET, How.CLOSE}:
            fake.wait(answer.pause)
        match answer.how:
            case How.RESET:
                fake.record(index, finished=time.monotonic())
                self._reset()
            case How.CLOSE:
                fake.record(index, finished=time.monotonic())
                self.close_connection = True
            case How.STALL:
                self._stall(index, comments=answer.comments)
            case None | How.ERROR_EVENT | How.END:
                fake.record(index, finished=time.monotonic())
                self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.rfile.close()
        self.connection.close()
        self.close_connection = True

    def _stall(self, index: int, *, comments: bool) -> None:
        """Keep the connection open, send no event, until the client hangs up or the provider stops."""
        fake = self.server.fake
        self.connection.setblocking(False)
        while not fake.wait(STALL_CHECK_SECONDS):
            try:
                if comments:
                    self.connection.send(b"%x\r\n%s\r\n" % (len(COMMENT), COMMENT))
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    break
            except BlockingIOError:
                continue
        fake.record(index, finished=time.monotonic(), hung_up=not self.server.fake.wait(0))
        self.connection.setblocking(True)
        self._reset()

    def log_message(self, format: str, *arguments: Any) -> None:
        """The exchanges are the log."""
