"""A client of ``opencode acp``: the Agent Client Protocol over a program's standard streams, as an editor speaks it."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.drivers.opencode_server import unchanged
from opencode_patcher.drill.fakes.wire import Object, as_object, read

PROTOCOL_VERSION = 1


class AcpClient:
    """Sends requests and keeps the agent's notifications: ``updates``, in order, for all sessions.

    ``restore`` gets each line of the agent before it is parsed as JSON, ``notice`` each update.
    """

    def __init__(
        self, restore: Callable[[str], str] = unchanged, notice: Callable[[Object], None] | None = None
    ) -> None:
        self._restore = restore
        self._notice = notice
        self.updates: list[Object] = []
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.stderr: list[str] = []
        self._answers: dict[int, queue.Queue[Object | None]] = {}
        self._lock = threading.Lock()
        self._ended = False

    def call(self, method: str, parameters: Mapping[str, object], seconds: float) -> Object | None:
        """The result of a request; None when it did not come in time. Raises DrillError when the agent refuses."""
        with self._lock:
            number = len(self._answers)
            answer = self._answers[number] = queue.Queue()
            if self._ended:
                answer.put(None)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
        self.lines.put(json.dumps(request) + "\n")
        try:
            found = answer.get(timeout=seconds)
        except queue.Empty:
            return None
        if found is None or "error" in found:
            why = "the program has ended" if found is None else json.dumps(found["error"])
            raise DrillError(f"opencode acp does not answer {method}.", why=why)
        return as_object(found.get("result"))

    def line(self, stream: str, text: str) -> None:
        """Handle one line from the agent."""
        text = self._restore(text)
        message = as_object(read(text)) if stream == "stdout" else {}
        if not message:
            self.stderr.append(text)
        elif message.get("method") == "session/update":
            update = as_object(as_object(message.get("params")).get("update"))
            self.updates.append(update)
            if self._notice:
                self._notice(update)
        elif isinstance(number := message.get("id"), int) and number in self._answers:
            self._answers[number].put(message)

    def end(self) -> None:
        """The agent has ended: wake everybody who waits for an answer."""
        with self._lock:
            self._ended = True
            for answer in self._answers.values():
                answer.put(None)


@contextmanager
def running(
    binary: Path,
    home: Home,
    seconds: float,
    *,
    restore: Callable[[str], str] = unchanged,
    notice: Callable[[Object], None] | None = None,
) -> Iterator[AcpClient]:
    """An agent that is ready for sessions, ended with the block.

    Raises DrillError when it is not ready within ``seconds``.
    """
    client = AcpClient(restore, notice)
    stop = threading.Event()

    def run() -> None:
        try:
            process.converse(
                [binary, "acp"],
                cwd=home.work,
                env=environment(home, password=True),
                stdin=iter(client.lines.get, None),
                on_line=client.line,
                stop=stop,
            )
        except ProcessError as error:
            client.stderr.append(str(error))
        finally:
            client.end()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        if client.call("initialize", {"protocolVersion": PROTOCOL_VERSION, "clientCapabilities": {}}, seconds) is None:
            raise DrillError("opencode acp does not start.", why="\n".join(client.stderr[-20:]))
        yield client
    finally:
        client.lines.put(None)
        stop.set()
        thread.join()
