"""Fake providers on 127.0.0.1: sends what a provider decides over HTTP, faults included."""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, Self, TypeVar

from opencode_patcher.drill.fakes.answer import Refusal, Stream
from opencode_patcher.drill.fakes.exchange import Sent
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.faults import How
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.tools import FinishedTools
from opencode_patcher.drill.fakes.wire import read

HOST = "127.0.0.1"

Fake = TypeVar("Fake", bound=FakeProvider)
BASE_PATH = "/v1"

STALL_CHECK_SECONDS = 0.05
"""How often a stalled answer checks whether the client has hung up."""

TOOL_SECONDS = 10.0
"""How long a fault waits for tools to finish. A tool that never runs must not delay a scenario for longer."""

COMMENT = b": keep-alive\n\n"

_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER on, zero seconds: ``close`` sends a reset instead of an orderly end."""


class Host:
    """One address on this machine for any number of fake providers, each below its own path.

    A context manager: it listens until the block ends, which also stops its providers.
    """

    def __init__(self) -> None:
        self._server = _Server()
        # A bound socket that does not listen refuses connections, and nobody else can get its port.
        self._refusing = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._refusing.bind((HOST, 0))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def base_url(self, provider: ProviderSpec, tag: str = "") -> str:
        """The address of the provider once it is added under that tag; one that is not ``listening`` refuses
        connections."""
        port = self._server.server_address[1] if provider.listening else self._refusing.getsockname()[1]
        return f"http://{HOST}:{port}/{provider.id}{tag}{BASE_PATH}"

    def add(self, fake: FakeProvider, tag: str = "") -> None:
        """Start a provider."""
        fake.base_url = self.base_url(fake.provider, tag)
        self._server.fakes[f"{fake.provider.id}{tag}"] = fake

    def remove(self, fake: FakeProvider) -> None:
        """Stop a provider; later requests to it get an error."""
        fake.stop()
        self._server.fakes = {name: one for name, one in self._server.fakes.items() if one is not fake}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for fake in self._server.fakes.values():
            fake.stop()
        self._refusing.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(
    providers: Sequence[ProviderSpec],
    turns: tuple[Turn, ...],
    tools: FinishedTools | None = None,
    *,
    host: Host | None = None,
    tag: str = "",
) -> Iterator[Sequence[FakeProvider]]:
    """Start the providers, which answer the prompts of ``turns`` until the block ends.

    Faults that wait for tools wait for those of ``tools``. Without a ``host``, the providers get a new one.
    """
    shared = tools or FinishedTools()
    with hosting([FakeProvider(provider, turns, shared) for provider in providers], host=host, tag=tag) as fakes:
        yield fakes


@contextmanager
def hosting(fakes: Sequence[Fake], *, host: Host | None = None, tag: str = "") -> Iterator[Sequence[Fake]]:
    """The same for existing providers."""
    with ExitStack() as stack:
        place = host or stack.enter_context(Host())
        for fake in fakes:
            place.add(fake, tag)
            stack.callback(place.remove, fake)
        yield fakes


class _Server(socketserver.ThreadingTCPServer):
    """A plain TCP server: the one of http.server looks up the host's name, which can take seconds."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self) -> None:
        self.fakes: dict[str, FakeProvider] = {}
        super().__init__((HOST, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that disconnects is part of the drill; anything else is a bug and shows its traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        fake, path = self._addressed()
        if fake is None or path != BASE_PATH + fake.protocol.path:
            self._refuse_path()
            return
        body = read(raw)
        if not isinstance(body, dict):
            self._answer(400, b'{"error": {"message": "the body is not a JSON object"}}', {})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        index, answer = fake.open_exchange(headers, body)
        try:
            if isinstance(answer, Refusal):
                # The time before sending: the client may send its next request before ``send`` returns.
                fake.record(index, status=answer.status, finished=time.monotonic())
                self._answer(answer.status, answer.body, dict(answer.headers))
            else:
                self._stream(fake, index, answer)
        except ConnectionError:
            fake.record(index, hung_up=True)
            self.close_connection = True
        finally:
            if fake.exchanges[index].finished is None:
                fake.record(index, finished=time.monotonic())

    def do_GET(self) -> None:
        self._refuse_path()

    def _addressed(self) -> tuple[FakeProvider | None, str]:
        """The provider that the request is for, and the rest of the path."""
        name, slash, path = self.path.removeprefix("/").partition("/")
        return self.server.fakes.get(name), slash + path

    def _refuse_path(self) -> None:
        fake, path = self._addressed()
        if fake:
            fake.refuse_path(self.command, path)
        self._answer(404, b'{"error": {"message": "no such path"}}', {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, fake: FakeProvider, index: int, answer: Stream) -> None:
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
        if answer.tools:
            fake.tools.wait(answer.tools, TOOL_SECONDS)
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
                self._stall(fake, index, comments=answer.comments)
            case None | How.ERROR_EVENT | How.END:
                fake.record(index, finished=time.monotonic())
                self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.rfile.close()
        self.connection.close()
        self.close_connection = True

    def _stall(self, fake: FakeProvider, index: int, *, comments: bool) -> None:
        """Keep the connection open without sending events until the client hangs up or the provider stops."""
        self.connection.setblocking(False)
        while not fake.wait(STALL_CHECK_SECONDS):
            try:
                if comments:
                    self.connection.send(b"%x\r\n%s\r\n" % (len(COMMENT), COMMENT))
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    break
            except BlockingIOError:
                continue
        fake.record(index, finished=time.monotonic(), hung_up=not fake.wait(0))
        self.connection.setblocking(True)
        self._reset()

    def log_message(self, format: str, *arguments: Any) -> None:
        """The exchanges are the log."""
