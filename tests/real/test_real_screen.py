"""Level 3: what the terminal interface shows while a provider fails. It is drawn by tmux, as in a user's terminal."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.fakes.faults import At, Broken, How, HttpError, Slow
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, OVERLOADED, RATE_LIMITED
from tests.real.held_provider import holding

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

SECONDS = 120.0


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, socket: Path, home: Home, command: str, size: tuple[int, int] = (130, 40)) -> None:
        self._socket, self._home = socket, home
        columns, rows = map(str, size)
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows, "-c", str(home.work), command)

    def type(self, text: str) -> None:
        self._tmux("send-keys", text)
        self.until(lambda screen: text in screen)
        self._tmux("send-keys", "Enter")

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def until(self, shows: Callable[[str], bool]) -> str:
        """The first screen that shows it."""
        end = time.monotonic() + SECONDS
        while not shows(screen := self.screen()):
            assert time.monotonic() < end, f"not shown in {SECONDS:g} s:\n{screen}"
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        return process.run(["tmux", "-S", self._socket, *words], env=environment(self._home)).stdout


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    if shutil.which("tmux") is None:
        pytest.skip("NOT TESTED: tmux is not here to draw the screen")
    with ExitStack() as stack:
        # The path of a socket must be short.
        socket = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="screen-"))) / "s"

        def start(home: Home, command: str, size: tuple[int, int] = (130, 40)) -> Terminal:
            terminal = Terminal(socket, home, command, size)
            stack.callback(terminal.close)
            return terminal

        yield start


def test_the_screen_follows_a_failover(
    tmp_path: Path, patched: Path, open_terminal: Callable[[Home, str], Terminal]
) -> None:
    half = Broken(at=At.TEXT, how=How.RESET)
    providers = (replace(ALPHA, faults=(half,), then=OVERLOADED), replace(BETA, then=Slow(seconds=0.1)))
    with holding(tmp_path / "user", GREETING, *providers) as (home, (alpha, beta)):
        terminal = open_terminal(home, f"exec '{patched}' --model combined/claude-sonnet-4-5")

        terminal.until(lambda screen: "claude-sonnet-4-5 Combined" in screen)
        terminal.type(GREETING.prompt)
        while_alpha = terminal.until(lambda screen: "Hello from alpha" in screen)
        assert "(Alpha)" in while_alpha

        alpha.go_on()
        switched = terminal.until(lambda screen: "Failover: alpha (503" in screen)
        while_beta = terminal.until(lambda screen: "(Beta)" in screen)
        beta.go_on()
        answered = terminal.until(lambda screen: "nothing was lost" in screen)

        assert "Hello from alpha" not in switched
        assert "Hello from beta" not in while_beta
        assert "Hello from beta, this is the whole answer" in answered
        assert "Hello from alpha" not in answered

    state = json.loads((home.home / ".local" / "state" / "opencode" / "model.json").read_text())
    assert [model["providerID"] for model in state["recent"]] == ["combined"]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_how_members_stand_is_seen_and_changed(
    tmp_path: Path, patched: Path, open_terminal: Callable[..., Terminal], size: tuple[int, int]
) -> None:
    """One terminal interface through all states: serving, avoided, pinned, skipped, failover off, waiting."""
    spent = HttpError(status=402, message="Insufficient credit")
    soon = replace(RATE_LIMITED, headers={"retry-after": "45"})
    providers = (replace(ALPHA, then=spent), replace(BETA, faults=(None, soon)))
    with holding(tmp_path / "user", GREETING, *providers) as (home, held):
        for one in held:
            one.go_on()
        terminal = open_terminal(home, f"exec '{patched}' --model combined/claude-sonnet-4-5", size)
        terminal.until(lambda screen: "claude-sonnet-4-5 Combined" in screen)
        terminal.type(GREETING.prompt)
        # On a small screen the toast hides some of the text; the line about the failover stays in the transcript.
        terminal.until(lambda screen: all(one in screen for one in ("nothing was lost", "until", "takes over")))

        terminal.type("/combined")
        rows = members(terminal, "avoided until")
        assert "(in 30 min): quota" in rows["Alpha"]
        assert "serving" in rows["Beta"]
        if size[0] > 80:
            assert all("metered" in row for row in rows.values())

        terminal.press("Enter")
        terminal.until(lambda screen: "Ask it again now" in screen)
        terminal.press("Down", "Down", "Enter")
        assert "ready" in members(terminal, "ready")["Alpha"]

        terminal.press("Down", "Enter")
        terminal.until(lambda screen: "Use it now" in screen)
        terminal.press("Enter")
        rows = members(terminal, "pinned")
        assert "another is pinned" in rows["Alpha"]
        assert "pinned" in rows["Beta"]

        terminal.press("Enter")
        terminal.until(lambda screen: "Skip it" in screen)
        terminal.press("Down", "Enter")
        assert "skipped" in members(terminal, "skipped")["Alpha"]

        terminal.press("o", "f", "f", "Enter")
        terminal.until(lambda screen: "Only the first provider is asked" in screen)
        terminal.press("Escape")
        terminal.until(lambda screen: "Combined models" not in screen)

        terminal.type(f"Once more: {GREETING.prompt}")
        # The screen names the provider that the turn waits for and how to stop waiting, however small it is.
        terminal.until(lambda screen: "aiting for" in screen and "esc" in screen)
        terminal.press("Escape")
        terminal.until(lambda screen: "again" in screen)
        terminal.press("Escape")
        terminal.until(lambda screen: "aiting for" not in screen)


def members(terminal: Terminal, state: str) -> dict[str, str]:
    """The lines of the dialog about members, by provider, once one of them shows this state."""

    def lines(screen: str) -> dict[str, str]:
        found = [line.strip() for line in screen.splitlines()]
        return {name: line for name in ("Alpha", "Beta") for line in found if re.search(rf"[^\w\s·] {name} ", line)}

    screen = terminal.until(
        lambda screen: "Combined models" in screen and any(state in line for line in lines(screen).values())
    )
    return lines(screen)


def test_a_key_that_providers_repeat_is_neither_shown_nor_stored(
    tmp_path: Path, patched: Path, open_terminal: Callable[[Home, str], Terminal]
) -> None:
    said = "Operation declined for"
    refused = HttpError(status=400, message=f"{said} {ALPHA.key}", headers={"x-echo": f"Bearer {ALPHA.key}"})
    broken = Broken(at=At.TEXT, how=How.ERROR_EVENT, message=f"{said} {BETA.key}")
    with holding(tmp_path / "user", GREETING, replace(ALPHA, then=refused), replace(BETA, then=broken)) as (home, held):
        for one in held:
            one.go_on()
        words = ["run", "--print-logs", "--model", "combined/claude-sonnet-4-5", GREETING.prompt]
        done = process.converse([patched, *words], cwd=home.work, env=environment(home), timeout=SECONDS)
        terminal = open_terminal(home, f"exec '{patched}' --model combined/claude-sonnet-4-5")
        terminal.until(lambda screen: "claude-sonnet-4-5 Combined" in screen)
        terminal.type(GREETING.prompt)
        screen = terminal.until(lambda screen: said in screen)

    printed = done.stdout + done.stderr
    stored = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
    del stored[home.config / "opencode.json"]
    assert said in printed
    assert any(said.encode() in content for content in stored.values()), "the search does not reach the database"
    for key in (ALPHA.key, BETA.key):
        assert key not in printed + screen
        assert not [path for path, content in stored.items() if key.encode() in content]
