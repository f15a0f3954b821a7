"""A running ``opencode serve``: its process, its HTTP API and its events, without an SDK."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError
from opencode_patcher.drill.drivers.home import Home, environment

START_SECONDS = 30.0
CALL_SECONDS = 60.0
_ADDRESS = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event of ``/event``; ``at`` is in seconds on ``time.monotonic``'s clock."""

    at: float
    kind: str
    properties: Mapping[str, object]


class OpenCodeServer:
    """A server that answers at ``url``. ``on_event`` is given each event, in a thread of its own."""

    def __init__(self, url: str, on_event: Callable[[ServerEvent], None]) -> None:
        self.url = url
        self._on_event = on_event
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def call(self, method: str, path: str, body: object = None, *, timeout: float = CALL_SECONDS) -> object:
        """One call of the API: the JSON of its answer, None for an empty one.

        Raises DrillError for an error status or when the server does not answer in ``timeout`` seconds.
        """
        connection = self._connect(timeout)
        raw = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, raw, {"content-type": "application/json"} if raw else {})
            response = connection.getresponse()
            text = response.read().decode("utf-8", errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise DrillError(f"{method} {path} failed at the OpenCode server.", why=repr(error)) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise DrillError(f"The OpenCode server answered {method} {path} with {response.status}.", why=text[:500])
        return json.loads(text) if text else None

    def listen(self) -> None:
        """Follow the events until the server ends. Returns once the stream is open."""
        self._thread.start()
        self._connected.wait(START_SECONDS)

    def join(self) -> None:
        """Wait for the last event of a server that has ended."""
        self._thread.join(CALL_SECONDS)

    def _connect(self, timeout: float | None) -> http.client.HTTPConnection:
        address = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)

    def _listen(self) -> None:
        connection = self._connect(None)
        try:
            connection.request("GET", "/event", headers={"accept": "text/event-stream"})
            response = connection.getresponse()
            for line in response:
                self._connected.set()
                if line.startswith(b"data:"):
                    data = json.loads(line[5:])
                    kind, properties = str(data.get("type", "")), data.get("properties") or {}
                    self._on_event(ServerEvent(at=time.monotonic(), kind=kind, properties=properties))
        # The stream ends with the server, often in the middle.
        except (OSError, http.client.HTTPException, ValueError):
            pass
        finally:
            self._connected.set()
            connection.close()


@contextmanager
def serving(
    binary: Path,
    home: Home,
    on_event: Callable[[ServerEvent], None],
    *,
    on_process: Callable[[str], None] | None = None,
) -> Iterator[OpenCodeServer]:
    """Run ``opencode serve`` in a home, ended with the block. ``on_process`` is given each line that it prints.

    Raises DrillError when it cannot be started.
    """
    stop = threading.Event()
    lines: Queue[str] = Queue()

    def line(_: str, text: str) -> None:
        lines.put(text)
        if on_process:
            on_process(text)

    def run() -> None:
        command: list[str | Path] = [binary, "serve", "--hostname", "127.0.0.1", "--port", "0"]
        try:
            process.converse(command, cwd=home.work, env=environment(home), on_line=line, stop=stop)
        except ProcessError as error:
            lines.put(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    server: OpenCodeServer | None = None
    try:
        server = OpenCodeServer(_address(lines, thread), on_event)
        server.listen()
        yield server
    finally:
        stop.set()
        thread.join()
        if server:
            server.join()


def _address(lines: Queue[str], thread: threading.Thread) -> str:
    seen: list[str] = []
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(Empty):
            seen.append(lines.get(timeout=0.1))
            if found := _ADDRESS.search(seen[-1]):
                return found[1]
            continue
        if not thread.is_alive():
            break
    raise DrillError("opencode serve did not say where it listens.", why="\n".join(seen[-20:]))
