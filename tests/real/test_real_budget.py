"""Level 3: one budget, shared by processes and by subagents that ask at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.base.process import Completed
from opencode_patcher.drill.drivers.home import Home, configuration, environment, prepare
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.faults import Slow
from opencode_patcher.drill.fakes.plan import Reply, Text, ToolCall, Turn
from opencode_patcher.drill.fakes.server import serving
from opencode_patcher.drill.fakes.usage import USAGE, Price
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]

PROCESSES = 6
SUBAGENTS = 10

DOLLAR = Price(input=0, output=10_000)
"""Every answer of the drill has 100 tokens, and these members give no longer ones, so what a request may cost and what
it has cost are the same: a dollar.
"""

MEMBERS = tuple(replace(one, price=DOLLAR, output=USAGE.output, then=Slow(seconds=1)) for one in (ALPHA, BETA))
"""Each answer takes a while, so that the requests are under way together."""

ERRAND = Turn(prompt="Say one word to your principal.", replies=(Reply(content=(Text(text="Done."),)),))
CROWD = Turn(
    prompt="Let ten subagents say a word each.",
    replies=(
        Reply(
            content=tuple(
                ToolCall(
                    id=f"call_{number}",
                    name="task",
                    arguments={"description": "Say it", "prompt": ERRAND.prompt, "subagent_type": "general"},
                )
                for number in range(SUBAGENTS)
            )
        ),
        Reply(content=(Text(text="They have spoken."),)),
    ),
)


def home_of(root: Path, fakes: Sequence[FakeProvider], budget: Mapping[str, object]) -> Home:
    urls = {fake.provider.id: fake.base_url for fake in fakes}
    return prepare(root, configuration(MEMBERS, urls, priority=True, combined={"budget": budget}))


def ask(patched: Path, home: Home, prompt: str) -> Completed:
    """One ``opencode run``; with a title, so that no request is made for one."""
    command: list[str | Path] = [patched, "run", "--title", "asked", "--model", "combined/claude-sonnet-4-5", prompt]
    return process.run(command, cwd=home.work, env=environment(home), timeout=300, check=False)


def test_processes_that_ask_at_once_stay_within_the_caps(tmp_path: Path, patched: Path) -> None:
    """Three dollars a day, two of them at ``alpha``: of six processes, two are answered by it and one by ``beta``."""
    with serving(MEMBERS, (GREETING,)) as fakes:
        home = home_of(tmp_path / "user", fakes, {"day": 3, "providers": {"alpha": 2}})
        # OpenCode 1 fails when several processes make its database at the same moment.
        process.run([patched, "session", "list"], cwd=home.work, env=environment(home), timeout=300)
        with ThreadPoolExecutor(PROCESSES) as pool:
            done = list(pool.map(lambda _: ask(patched, home, GREETING.prompt), range(PROCESSES)))
        alpha, beta = ([one for one in fake.exchanges if not one.failed] for fake in fakes)
    assert (len(alpha), len(beta)) == (2, 1)
    refused = [one for one in done if "combined.budget.day is $3.00" in one.stdout + one.stderr]
    assert len(refused) == PROCESSES - 3, [one.stderr[-500:] for one in done]


def test_subagents_that_ask_at_once_stay_within_the_cap(tmp_path: Path, patched: Path) -> None:
    """Four dollars: one for the request that calls ten subagents, three for as many of them."""
    with serving(MEMBERS, (CROWD, ERRAND)) as fakes:
        home = home_of(tmp_path / "user", fakes, {"session": 4})
        done = ask(patched, home, CROWD.prompt)
        asked = [one for fake in fakes for one in fake.exchanges]
    assert len(asked) == 4
    assert "combined.budget.session is $4.00" in done.stdout + done.stderr
