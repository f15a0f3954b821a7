"""A running ``opencode serve``: its process, its HTTP API and its events, without an SDK.

One server serves many projects: each request names its directory, and each project has its own configuration, providers
and events (upstream's packages/opencode/src/server/routes/instance/httpapi/middleware/).
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, Queue

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.fakes.wire import as_object, read

START_SECONDS = 300.0
"""How long a server may take to start listening. A loaded machine may need minutes; if the program ends, that is
noticed at once."""

CALL_SECONDS = 180.0

ANSWER_LIMIT = 64_000_000
"""The largest answer or event, in bytes. A session of the drill has a few thousand."""

USER = "opencode"
"""The user name that upstream's server expects with the password (packages/opencode/src/server/auth.ts)."""

_ADDRESS = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event of ``/event``; ``at`` is in seconds on ``time.monotonic``'s clock."""

    at: float
    kind: str
    properties: Mapping[str, object]


def unchanged(text: str) -> str:
    """Return the text unchanged."""
    return text


@dataclass(frozen=True, kw_only=True)
class OpenCodeServer:
    """The API of a server, for the project in ``directory`` (None: the one it was started in). ``restore`` gets each
    text from the server before it is parsed as JSON. ``events`` is the route of its events, and ``payload`` the key of
    an event's data.
    """

    url: str
    password: str = field(default="", repr=False)
    directory: Path | None = None
    restore: Callable[[str], str] = unchanged
    events: str = "/event"
    payload: str = "properties"

    def at(self, directory: Path, restore: Callable[[str], str] = unchanged) -> OpenCodeServer:
        """The same server for another project."""
        return replace(self, directory=directory, restore=restore)

    def call(self, method: str, path: str, body: object = None, *, timeout: float = CALL_SECONDS) -> object:
        """Call the API and return the JSON of the answer, None if empty.

        Raises DrillError for an error status or when the server does not answer in ``timeout`` seconds.
        """
        connection = self._connect(timeout)
        raw = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, raw, self._headers({"content-type": "application/json"} if raw else {}))
            response = connection.getresponse()
            answer = response.read(ANSWER_LIMIT + 1)
            text = self.restore(answer.decode("utf-8", errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            raise DrillError(f"{method} {path} failed at the OpenCode server.", why=repr(error)) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise DrillError(f"The OpenCode server answered {method} {path} with {response.status}.", why=text[:500])
        found = read(text) if text and len(answer) <= ANSWER_LIMIT else None
        if text and found is None and text.strip() != "null":
            raise DrillError(f"The OpenCode server's answer to {method} {path} is malformed.", why=text[:500])
        return found

    @contextmanager
    def following(self, on_event: Callable[[ServerEvent], None]) -> Iterator[None]:
        """Pass each event of the project to ``on_event``, in a separate thread, until the block ends.

        Raises DrillError when the server does not send events.
        """
        with ExitStack() as stack:
            connection = stack.enter_context(closing(self._connect(CALL_SECONDS)))
            try:
                connection.request("GET", self.events, headers=self._headers({"accept": "text/event-stream"}))
                stream = stack.enter_context(connection.sock)
                response = stack.enter_context(connection.getresponse())
                # The first event comes at once; a server that sends none in time does not serve events.
                first = response.readline(ANSWER_LIMIT)
            except (OSError, http.client.HTTPException) as error:
                raise DrillError("The OpenCode server does not send events.", why=repr(error)) from error
            if response.status >= 400:
                raise DrillError(f"The OpenCode server answered GET {self.events} with {response.status}.")
            stream.settimeout(None)
            thread = threading.Thread(target=self._read, args=(first, response, on_event), daemon=True)
            thread.start()
            try:
                yield
            finally:
                # Closing alone would wait for the reading thread.
                with suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)
                thread.join(CALL_SECONDS)

    def _read(self, line: bytes, response: http.client.HTTPResponse, on_event: Callable[[ServerEvent], None]) -> None:
        # The stream ends with the server or with the block, often in the middle of an event.
        with suppress(OSError, http.client.HTTPException, ValueError):
            while line:
                if line.startswith(b"data:"):
                    data = as_object(read(self.restore(line[5:].decode("utf-8", errors="replace"))))
                    kind, properties = str(data.get("type", "")), as_object(data.get(self.payload))
                    on_event(ServerEvent(at=time.monotonic(), kind=kind, properties=properties))
                line = response.readline(ANSWER_LIMIT)

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        login = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        headers = {"authorization": f"Basic {login}", **more}
        if self.directory:
            headers["x-opencode-directory"] = urllib.parse.quote(str(self.directory))
        return headers

    def _connect(self, timeout: float | None) -> http.client.HTTPConnection:
        address = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)


@contextmanager
def serving(
    binary: Path,
    home: Home,
    *,
    on_line: Callable[[str], None] | None = None,
    variables: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    seconds: float = START_SECONDS,
) -> Iterator[OpenCodeServer]:
    """Run ``opencode serve`` in a home, ended with the block. ``on_line`` gets each line that it prints; ``variables``
    are added to its environment, ``arguments`` to its command line.

    Raises DrillError when it is not ready within ``seconds``.
    """
    stop = threading.Event()
    lines: Queue[str] = Queue()

    def line(_: str, text: str) -> None:
        lines.put(text)
        if on_line:
            on_line(text)

    def run() -> None:
        command: list[str | Path] = [binary, "serve", "--hostname", "127.0.0.1", "--port", "0", *arguments]
        env = environment(home, password=True) | dict(variables or {})
        try:
            process.converse(command, cwd=home.work, env=env, on_line=line, stop=stop)
        except ProcessError as error:
            lines.put(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield OpenCodeServer(url=_address(lines, thread, seconds), password=home.password)
    finally:
        stop.set()
        thread.join()


def _address(lines: Queue[str], thread: threading.Thread, seconds: float) -> str:
    seen: list[str] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(Empty):
            seen.append(lines.get(timeout=0.1))
            if found := _ADDRESS.search(seen[-1]):
                return found[1]
            continue
        if not thread.is_alive():
            break
    raise DrillError(
        "opencode serve did not say where it listens, so this binary cannot be drilled.",
        why="\n".join(seen[-20:]),
        next_step="Name an opencode binary that runs on this machine.",
    )
