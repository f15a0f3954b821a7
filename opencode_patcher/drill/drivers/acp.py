"""Runs a scenario through ``opencode acp``, as an editor does; then opens the session again, as after a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.drivers.acp_client import AcpClient, running
from opencode_patcher.drill.drivers.stage import Stage
from opencode_patcher.drill.drivers.stored import Reader, effects
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.wire import Object, as_objects
from opencode_patcher.drill.scenarios.pace import Pace
from opencode_patcher.drill.verdict.acp_view import ENDED, shown
from opencode_patcher.drill.verdict.observation import Event, Observation

START_SECONDS = 60.0

SETTLE_SECONDS = 0.5
"""How long updates may arrive after the answer to a prompt: they take another path inside the program."""


def observe(
    stage: Stage, read: Reader, *, limit: float, pace: Pace, stop: threading.Event | None = None
) -> Observation:
    """Run the scenario and return everything that was observed. ``limit`` bounds each turn, in seconds; ``read`` finds
    the stored session; ``stop`` prevents further turns. Raises DrillError when the program cannot be run.
    """
    home, binary = stage.home, stage.subject.binary
    start, settle = pace.scaled(START_SECONDS), pace.scaled(SETTLE_SECONDS)
    errors: list[Event] = []

    def notice(update: Object) -> None:
        if "toolCallId" in update and update.get("status") in ENDED:
            stage.tools.finish(str(update["toolCallId"]))

    with running(binary, home, start, restore=stage.restore, notice=notice) as client:
        session_id = _open(client, stage, start)
        started = time.monotonic()
        try:
            code = _turns(client, session_id, stage.scenario.turns, limit, stop)
        except DrillError as error:
            data = {"error": {"name": "AcpError", "data": {"message": str(error)}}}
            errors.append(Event(at=time.monotonic(), kind="error", data=data))
            code = 1
        seconds = time.monotonic() - started
        time.sleep(settle)
    with running(binary, home, start, restore=stage.restore) as later:
        _call(later, "session/load", {"sessionId": session_id, "cwd": str(home.work), "mcpServers": []}, start)
        time.sleep(settle)
    return Observation(
        scenario=stage.scenario,
        subject=stage.subject,
        exchanges=stage.exchanges,
        events=tuple(errors),
        session=read(session_id),
        screen="".join(shown(later.updates).values()),
        updates=tuple(client.updates),
        effects=effects(home),
        code=code,
        limit=limit,
        started=started,
        seconds=seconds,
        stderr="\n".join(client.stderr),
    )


def _open(client: AcpClient, stage: Stage, seconds: float) -> str:
    """A new session with the stage's model, which the agent must offer."""
    made = _call(client, "session/new", {"cwd": str(stage.home.work), "mcpServers": []}, seconds)
    offered = [
        str(choice.get("value"))
        for option in as_objects(made.get("configOptions"))
        if option.get("id") == "model"
        for choice in as_objects(option.get("options"))
    ]
    # The agent's words have the scenario's names for the providers.
    if stage.restore(stage.model) not in offered:
        raise DrillError(f"opencode acp does not offer {stage.model}.", why=", ".join(offered))
    session_id = str(made.get("sessionId"))
    chosen: dict[str, object] = {"sessionId": session_id, "configId": "model", "value": stage.model}
    _call(client, "session/set_config_option", chosen, seconds)
    return session_id


def _call(client: AcpClient, method: str, parameters: dict[str, object], seconds: float) -> dict[str, object]:
    found = client.call(method, parameters, seconds)
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
