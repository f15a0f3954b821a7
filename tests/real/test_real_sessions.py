"""Level 3: sessions survive the way from stock OpenCode to a patched one and back, on one database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.drill.drivers.home import Home, configuration, configure, environment, prepare
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.plan import Reply, Text, Turn
from opencode_patcher.drill.fakes.server import hosting
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, ERRAND, GAMMA, GREETING, OVERLOADED, RATE_LIMITED
from opencode_patcher.drill.scenarios.scenario import EFFECTS
from opencode_patcher.drill.verdict.observation import Session, parse_export

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

COMBINED = "combined/claude-sonnet-4-5"
SECONDS = 120.0

RECALL = Turn(
    prompt="What did we do so far?",
    replies=(Reply(content=(Text(text="We said hello and appended a line, says {provider}."),)),),
)
FAREWELL = Turn(prompt="Good bye.", replies=(Reply(content=(Text(text="Good bye from {provider}."),)),))
TURNS = (GREETING, ERRAND, RECALL, FAREWELL)


class User:
    """Somebody who uses two binaries in one home, and takes the patches' settings out before starting the stock one."""

    def __init__(self, home: Home, stock: Path, patched: Path, fakes: Sequence[FakeProvider]) -> None:
        self.home, self.stock, self.patched, self.fakes = home, stock, patched, fakes

    def configure(self, binary: Path) -> None:
        urls = {fake.provider.id: fake.base_url for fake in self.fakes}
        providers = [fake.provider for fake in self.fakes]
        configure(self.home, configuration(providers, urls, priority=binary == self.patched))

    def command(self, binary: Path, *words: str, check: bool = True) -> process.Completed:
        return process.run(
            [binary, *words], cwd=self.home.work, env=environment(self.home), timeout=SECONDS, check=check
        )

    def asks(self, binary: Path, model: str, turn: Turn, session: str | None = None) -> str:
        """One turn; returns the session's id."""
        self.configure(binary)
        words = ["--session", session] if session else []
        said = self.command(binary, "run", "--format", "json", "--model", model, *words, turn.prompt).stdout
        return next(str(json.loads(line)["sessionID"]) for line in said.splitlines() if "sessionID" in line)

    def reads(self, binary: Path, session: str) -> Session:
        """The session as a binary lists and exports it."""
        self.configure(binary)
        listed = json.loads(self.command(binary, "session", "list", "--format", "json").stdout)
        assert session in [one["id"] for one in listed]
        exported = parse_export(self.command(binary, "export", session).stdout)
        assert exported
        return exported


@pytest.fixture
def fakes() -> Iterator[list[FakeProvider]]:
    with hosting([FakeProvider(provider, TURNS) for provider in (ALPHA, BETA, GAMMA)]) as started:
        yield [*started]


@pytest.fixture
def user(tmp_path: Path, stock: Path, patched: Path, fakes: list[FakeProvider]) -> User:
    return User(prepare(tmp_path / "user", {}), stock, patched, fakes)


def test_a_session_goes_from_stock_to_patched_and_back(user: User, fakes: list[FakeProvider]) -> None:
    alpha, beta, gamma = fakes
    stock, patched = user.stock, user.patched

    session = user.asks(stock, f"alpha/{ALPHA.model}", GREETING)

    # The first provider answers with a tool call and is overloaded when it should go on.
    alpha.renew(replace(ALPHA, faults=(None,), then=OVERLOADED), TURNS)
    assert user.asks(patched, COMBINED, ERRAND, session) == session

    assert user.asks(stock, f"gamma/{GAMMA.model}", RECALL, session) == session

    alpha.renew(replace(ALPHA, then=RATE_LIMITED), TURNS)
    assert user.asks(patched, COMBINED, FAREWELL, session) == session

    seen = [user.reads(binary, session) for binary in (stock, patched)]
    assert seen[0] == seen[1]
    stored = seen[0]
    assert [message.provider for message in stored.messages] == ["alpha", "alpha", "beta", "gamma", "beta"]
    assert [message.error for message in stored.messages] == [""] * 5
    assert all(message.completed for message in stored.messages)
    assert stored.asked == len(TURNS)
    assert [message.text for message in stored.messages] == [
        "Hello from alpha, this is the whole answer and nothing was lost.",
        "I will append the line now.",
        "The line is there, says beta.",
        "We said hello and appended a line, says gamma.",
        "Good bye from beta.",
    ]
    assert (user.home.work / EFFECTS).read_text().splitlines() == ["done"]
    assert [violation for fake in fakes for one in fake.exchanges for violation in one.violations] == []

    # Both providers got the whole history with their last request, including the tool's call and result.
    for fake in (beta, gamma):
        sent = json.dumps(fake.exchanges[-1].body)
        assert "this is the whole answer" in sent
        assert f"echo done >> {EFFECTS}" in sent
        assert "The line is there, says beta." in sent
    databases = [path.name for path in (user.home.home / ".local" / "share" / "opencode").glob("*.db")]
    assert databases == ["opencode.db"]


def test_a_stock_binary_needs_the_settings_out_and_another_model(user: User, fakes: list[FakeProvider]) -> None:
    session = user.asks(user.patched, COMBINED, GREETING)
    before = [len(fake.exchanges) for fake in fakes]

    refused = user.command(user.stock, "session", "list", check=False)
    assert refused.code != 0
    assert "Unrecognized key: provider_priority" in refused.stderr

    user.configure(user.stock)
    # The session's own model is the combined one.
    assert user.command(user.stock, "run", "--session", session, FAREWELL.prompt, check=False).code != 0
    assert [len(fake.exchanges) for fake in fakes] == before

    assert user.asks(user.stock, f"beta/{BETA.model}", FAREWELL, session) == session
    assert [message.provider for message in user.reads(user.stock, session).answers][-1] == "beta"
