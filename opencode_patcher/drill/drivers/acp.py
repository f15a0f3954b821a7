"""Runs a scenario through ``opencode acp``, as an editor does; then opens the session again, as after its restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.drivers.acp_client import AcpClient, running
from opencode_patcher.drill.drivers.home import Home
from opencode_patcher.drill.drivers.run import effects, stored
from opencode_patcher.drill.drivers.stage import staged
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.wire import as_objects
from opencode_patcher.drill.scenarios.scenario import Scenario
from opencode_patcher.drill.verdict.acp_view import shown
from opencode_patcher.drill.verdict.observation import Event, Observation, Target

START_SECONDS = 30.0

SETTLE_SECONDS = 0.5
"""How long updates may still come after the answer to a prompt: they go another way inside the program."""


def observe(
    scenario: Scenario,
    target: Target,
    root: Path,
    *,
    template: Path | None,
    limit: float,
    stop: threading.Event | None = None,
) -> Observation:
    """Run one scenario in a fresh home below ``root``; ``limit`` bounds each turn, in seconds.

    ``template`` is the root of a home whose data are copied; ``stop`` keeps further turns from being begun.
    Raises DrillError when the program cannot be run.
    """
    errors: list[Event] = []
    with staged(scenario, target, root, template) as stage:
        home = stage.home
        with running(target.binary, home, START_SECONDS) as client:
            session_id = _open(client, home, stage.model)
            started = time.monotonic()
            try:
                code = _turns(client, session_id, scenario.turns, limit, stop)
            except DrillError as error:
                data = {"error": {"name": "AcpError", "data": {"message": str(error)}}}
                errors.append(Event(at=time.monotonic(), kind="error", data=data))
                code = 1
            seconds = time.monotonic() - started
            time.sleep(SETTLE_SECONDS)
        with running(target.binary, home, START_SECONDS) as later:
            _call(later, "session/load", {"sessionId": session_id, "cwd": str(home.work), "mcpServers": []})
            time.sleep(SETTLE_SECONDS)
    return Observation(
        scenario=scenario,
        target=target,
        exchanges=stage.exchanges,
        events=tuple(errors),
        session=stored(target, home, session_id),
        screen="".join(shown(later.updates).values()),
        updates=tuple(client.updates),
        effects=effects(home),
        code=code,
        limit=limit,
        started=started,
        seconds=seconds,
        stderr="\n".join(client.stderr),
    )


def _open(client: AcpClient, home: Home, model: str) -> str:
    """A new session with that model, which the agent must offer."""
    made = _call(client, "session/new", {"cwd": str(home.work), "mcpServers": []})
    offered = [
        str(choice.get("value"))
        for option in as_objects(made.get("configOptions"))
        if option.get("id") == "model"
        for choice in as_objects(option.get("options"))
    ]
    if model not in offered:
        raise DrillError(f"opencode acp does not offer {model}.", why=", ".join(offered))
    session_id = str(made.get("sessionId"))
    _call(client, "session/set_config_option", {"sessionId": session_id, "configId": "model", "value": model})
    return session_id


def _call(client: AcpClient, method: str, parameters: dict[str, object]) -> dict[str, object]:
    found = client.call(method, parameters, START_SECONDS)
    if found is None:
        raise DrillError(f"opencode acp does not answer {method}.")
    return dict(found)


def _turns(
    client: AcpClient, session_id: str, turns: Sequence[Turn], limit: float, stop: threading.Event | None
) -> int | None:
    """0 when all turns ended well, None when one did not end. Raises DrillError for one that ended in an error."""
    for turn in turns:
        if stop and stop.is_set():
            return None
        time.sleep(turn.pause)
        prompt = [{"type": "text", "text": turn.prompt}]
        if client.call("session/prompt", {"sessionId": session_id, "prompt": prompt}, limit) is None:
            return None
    return 0
