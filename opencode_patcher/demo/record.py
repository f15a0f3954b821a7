"""Records a failover in the real terminal interface: the real program, and providers on 127.0.0.1 that fail.

Only the providers are fake; everything on the screen is what the program shows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from opencode_patcher.base import scratch
from opencode_patcher.base.progress import Reporter
from opencode_patcher.demo import film
from opencode_patcher.demo.tape import Tape
from opencode_patcher.demo.terminal import Terminal
from opencode_patcher.drill.drivers.home import Home, configuration, environment, furnish, start_project
from opencode_patcher.drill.fakes.exchange import Sent
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.faults import At, Broken, ChunkKind, How
from opencode_patcher.drill.fakes.plan import Reply, Text, Turn
from opencode_patcher.drill.fakes.server import hosting
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, OVERLOADED

COLUMNS, ROWS = 100, 28
PROJECT = "home/demo"
"""Below the home, so that it is shown as ~/demo on every machine."""

KEY_SECONDS, WORD_SECONDS = 0.045, 0.07
TOAST_SECONDS = 9.0
"""How long the line about the failover stays on the screen, and a little more."""

PATIENCE = 60.0
"""Seconds for the program to start, and for each thing that it has to show."""

PROMPT = "Why does a stream that breaks in the middle cost more than one that is refused?"
ANSWER = (
    "Because half of the answer is there already. A client that gives up loses it, and one that asks again appends a "
    "second answer to the first half, or runs the same tool twice. So the half has to be taken back, and the next "
    "provider gets the whole history, without the unfinished part. "
    "This answer is whole, and every word of it is from {provider}."
)
FAILURE = Broken(at=At.TEXT, how=How.RESET, pause=0.8)
"""The connection breaks in the middle of the text; then the provider is overloaded."""


class Writer(FakeProvider):
    """Sends its words one by one, as a model does."""

    def record_sent(self, index: int, sent: Sent) -> None:
        super().record_sent(index, sent)
        if sent.kind is ChunkKind.TEXT:
            self.wait(WORD_SECONDS)


def record(binary: Path, reporter: Reporter) -> Tape:
    """A failover from ``alpha`` to ``beta``, as a user sees it.

    Raises DrillError when the screen does not show what it should, UsageError when pyte is missing.
    """
    turn = Turn(prompt=PROMPT, replies=(Reply(content=(Text(text=ANSWER),)),))
    alpha, beta = replace(ALPHA, faults=(FAILURE,), then=OVERLOADED), BETA
    with (
        scratch.directory("recording") as root,
        hosting([Writer(provider, (turn,)) for provider in (alpha, beta)]) as fakes,
        reporter.phase("Recording a failover"),
    ):
        urls = {fake.provider.id: fake.base_url for fake in fakes}
        home = furnish(Home(root=root, project=PROJECT), configuration((alpha, beta), urls, priority=True))
        start_project(home)
        given = {name: value for name, value in environment(home).items() if value is not None}
        del given["NO_COLOR"]
        given |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [str(binary), "--model", "combined/claude-sonnet-4-5"]
        with Terminal(command, home.work, given, columns=COLUMNS, rows=ROWS) as terminal:
            terminal.until(lambda screen: "Combined" in screen, seconds=PATIENCE, what="its prompt")
            terminal.watch(1.5)
            terminal.type(PROMPT, pause=KEY_SECONDS)
            terminal.watch(0.5)
            terminal.press(b"\r")
            terminal.until(lambda screen: "Because half" in screen, seconds=PATIENCE, what="alpha's words")
            terminal.until(lambda screen: "Failover: " in screen, seconds=PATIENCE, what="the failover")
            terminal.until(lambda screen: "is from beta" in _joined(screen), seconds=PATIENCE, what="beta's answer")
            terminal.watch(TOAST_SECONDS)
            return terminal.tape


def write(tape: Tape, title: str, name: str) -> str:
    """The text of a file whose ``name`` ends in .cast or .svg."""
    return film.svg(tape, title) if name.endswith(".svg") else film.cast(tape, title)


def _joined(screen: str) -> str:
    return " ".join(screen.split())
