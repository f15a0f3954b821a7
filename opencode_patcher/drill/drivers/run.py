"""Runs a real OpenCode binary, headless and in a throw-away home, against a scenario's fake providers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError, ProcessTimeoutError
from opencode_patcher.drill.drivers.home import NO_NETWORK, Home, configuration, configure, environment, prepare
from opencode_patcher.drill.drivers.stage import COMBINED, staged
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GAMMA
from opencode_patcher.drill.scenarios.scenario import EFFECTS, Scenario
from opencode_patcher.drill.verdict.observation import Event, Observation, Session, Target, parse_event, parse_export

PATCHED_SECONDS = 30.0
"""How long a turn of a patched binary may take: it fails over in milliseconds, the rest is a slow machine."""

STOCK_SECONDS = 15.0
"""A stock binary may wait for hours; after this time the drill calls it waiting."""

COMMAND_SECONDS = 60.0
"""For commands that involve no provider; the first one in a fresh home sets up the database."""


def probe(binary: Path, root: Path) -> Target:
    """Find out what a binary is, in a fresh home below ``root`` (which then serves as template for others).

    A patched binary accepts ``provider_priority`` and lists the combined model of three providers that spell
    one model differently; a stock binary refuses the key and lists the models one by one.
    Raises DrillError when it does neither.
    """
    if not binary.is_file():
        raise _not_drillable(binary, "It is not a file.")
    providers = (ALPHA, BETA, GAMMA)
    urls = {provider.id: NO_NETWORK for provider in providers}
    home = prepare(root, configuration(providers, urls, priority=True))
    try:
        version = _command(binary, home, "--version").strip()
    except ProcessError as error:
        raise _not_drillable(binary, str(error)) from error
    try:
        listed = _command(binary, home, "models").splitlines()
    except ProcessError as refused:
        configure(home, configuration(providers, urls, priority=False))
        try:
            listed = _command(binary, home, "models").splitlines()
        except ProcessError as error:
            raise _not_drillable(binary, f"{refused}\n{error}") from error
        if f"{ALPHA.id}/{ALPHA.model}" not in listed:
            raise _not_drillable(binary, "It does not list the models of a configured provider.") from None
        return Target(binary=binary, version=version, model=None)
    combined = [line for line in listed if line.startswith(f"{COMBINED}/")]
    if len(combined) != 1:
        raise DrillError(
            f"{binary} does not combine one model of three providers.",
            why="It lists: " + (", ".join(listed) or "nothing"),
        )
    return Target(binary=binary, version=version, model=combined[0])


def _not_drillable(binary: Path, why: str) -> DrillError:
    return DrillError(
        f"{binary} cannot be drilled.",
        why=why,
        next_step="Name an opencode binary that runs on this machine.",
    )


def observe(
    scenario: Scenario,
    target: Target,
    root: Path,
    *,
    template: Path | None = None,
    limit: float | None = None,
    stop: threading.Event | None = None,
) -> Observation:
    """Run one scenario in a fresh home below ``root`` and return everything that was seen.

    ``template`` is the root of a home whose data are copied, which saves the set-up of the database.
    ``limit`` is in seconds, by default PATCHED_SECONDS or STOCK_SECONDS; ``stop`` ends the run early.
    Raises DrillError when the binary cannot be run.
    """
    limit = limit or (PATCHED_SECONDS if target.patched else STOCK_SECONDS)
    if scenario.served:
        from opencode_patcher.drill.drivers import serve

        return serve.observe(scenario, target, root, template=template, limit=limit, stop=stop)
    if scenario.edited:
        from opencode_patcher.drill.drivers import acp

        return acp.observe(scenario, target, root, template=template, limit=limit, stop=stop)
    with staged(scenario, target, root, template) as stage:
        run = _Run(target=target, home=stage.home, model=stage.model, limit=limit, stop=stop)
        started = time.monotonic()
        code = run.turns(scenario.turns)
        seconds = time.monotonic() - started
    return Observation(
        scenario=scenario,
        target=target,
        exchanges=stage.exchanges,
        events=tuple(run.events),
        session=stored(target, stage.home, run.session_id),
        effects=effects(stage.home),
        code=code,
        limit=limit,
        started=started,
        seconds=seconds,
        stderr="\n".join(run.stderr),
    )


class _Run:
    """The turns of one scenario, each a process that continues the session of the one before."""

    def __init__(
        self, *, target: Target, home: Home, model: str, limit: float, stop: threading.Event | None = None
    ) -> None:
        self._stop = stop
        self._target = target
        self._home = home
        self._model = model
        self._limit = limit
        self._lock = threading.Lock()
        self.events: list[Event] = []
        self.stderr: list[str] = []

    @property
    def session_id(self) -> str | None:
        """The session of the last turn; a fork has one of its own."""
        seen = (str(event.data["sessionID"]) for event in reversed(self.events) if "sessionID" in event.data)
        return next(seen, None)

    def turns(self, turns: Sequence[Turn]) -> int | None:
        """The exit code of the last process that was run; None when it had to be ended."""
        code: int | None = 0
        for turn in turns:
            time.sleep(turn.pause)
            session = ["--session", self.session_id] if self.session_id else []
            usual = ["--model", self._model, *session, turn.prompt]
            code = self._turn(["run", "--format", "json", *(turn.arguments or usual)])
            if code != 0:
                break
        return code

    def _turn(self, arguments: list[str]) -> int | None:
        try:
            return process.converse(
                [self._target.binary, *arguments],
                cwd=self._home.work,
                env=environment(self._home),
                timeout=self._limit,
                on_line=self._line,
                stop=self._stop,
            ).code
        except ProcessTimeoutError:
            return None
        except ProcessError as error:
            raise DrillError(f"{self._target.binary} cannot be run.", why=str(error)) from error

    def _line(self, stream: str, line: str) -> None:
        at = time.monotonic()
        event = parse_event(line, at) if stream == "stdout" else None
        with self._lock:
            if event:
                self.events.append(event)
            elif line.strip():
                self.stderr.append(line)


def stored(target: Target, home: Home, session_id: str | None) -> Session | None:
    """The session as the binary itself exports it, so that the drill need not know the database."""
    try:
        if session_id is None:
            listed = json.loads(_command(target.binary, home, "session", "list", "--format", "json") or "[]")
            if not listed:
                return None
            session_id = str(listed[0]["id"])
        return parse_export(_command(target.binary, home, "export", session_id))
    except (ProcessError, ValueError, LookupError, TypeError):
        return None


def _command(binary: Path, home: Home, *arguments: str) -> str:
    """The stdout of a command that needs no provider."""
    done = process.run([binary, *arguments], cwd=home.work, env=environment(home), timeout=COMMAND_SECONDS)
    return done.stdout


def effects(home: Home) -> int:
    """How many lines the drilled tools have left."""
    path = home.work / EFFECTS
    return len(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else 0
