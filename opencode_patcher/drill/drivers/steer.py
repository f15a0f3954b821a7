"""Tells OpenCode what a user wants of a session's members, through the server or with another process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.drivers.home import environment
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.drivers.stage import Stage
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.wire import as_object


def steer(
    stage: Stage, server: OpenCodeServer, session: str, turn: Turn, *, limit: float, stop: threading.Event | None
) -> None:
    """Do what the user wants before the turn. Raises DrillError where OpenCode cannot do it."""
    for one in turn.steered:
        body = stage.scenario.filled(one.body, tag=stage.tag, model=stage.model)
        if one.what != "clear":
            server.call("POST", f"/combined/session/{session}/{one.what}", body)
            continue
        binary = stage.subject.binary
        words = ["combined", "health", "clear", str(body["member"])]
        done = process.converse(
            [binary, *words], cwd=stage.home.work, env=environment(stage.home), timeout=limit, stop=stop
        )
        if done.code != 0:
            raise DrillError(f"{binary.name} {' '.join(words)} failed.", why=done.stderr[-500:])


def ask_next(server: OpenCodeServer, session: str, *, limit: float, is_over: Callable[[], bool]) -> None:
    """Ask for the next provider until one takes over, or the turn ``is_over``. Raises DrillError where OpenCode cannot
    do it.
    """
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and not is_over():
        if as_object(server.call("POST", f"/combined/session/{session}/next")).get("moved"):
            return
