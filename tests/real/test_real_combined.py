"""Level 3: ``opencode combined`` in the real program, and what ``opencode-patcher health`` does to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base import process
from opencode_patcher.drill.drivers.home import WELCOME, environment
from opencode_patcher.drill.fakes.faults import HttpError
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING
from tests.real.held_provider import holding

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]

EMPTY = HttpError(status=402, message="Insufficient credits", code="insufficient_quota")


def test_who_is_avoided_is_seen_and_ended_and_members_are_chosen(
    tmp_path: Path, patched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``alpha`` has no credits for its first request, and answers afterwards."""
    providers = (replace(ALPHA, faults=(EMPTY,)), BETA)
    with holding(tmp_path / "user", GREETING, *providers) as (home, held):
        for one in held:
            one.go_on()
        file = home.home / ".local" / "state" / "opencode" / "combined-health.json"

        def said(*words: str) -> str:
            return process.run([patched, *words], cwd=home.work, env=environment(home), timeout=120).stdout

        def served() -> str:
            said("run", "--model", "combined/claude-sonnet-4-5", GREETING.prompt)
            (last,) = json.loads(said("combined", "attempts", "--json", "--last", "1"))["attempts"]
            return str(last["provider"])

        def steer(*words: str) -> None:
            assert run(["health", *words, "--file", str(file)]) == 0
            capsys.readouterr()

        assert "  1. alpha/claude-sonnet-4-5" in said("combined")
        assert served() == "beta"
        health = said("combined", "health")
        assert health.startswith("alpha: avoided until ")
        assert "Insufficient credits" in health
        assert "avoided until " in said("combined").splitlines()[1]
        assert " beta " in said("combined", "attempts").splitlines()[-1]
        assert said("combined", "health", "clear", "alpha") == "alpha can be asked again now.\n"
        assert served() == "alpha"

        steer("skip", "alpha")
        assert served() == "beta"
        steer("pin", "combined/claude-sonnet-4-5", "alpha")
        members = json.loads(said("combined", "--json"))["models"][0]["members"]
        assert [member.get("wish") for member in members] == ["pinned", "another is pinned"]
        assert served() == "alpha"
        steer("skip", "alpha")
        steer("reset")
        assert served() == "alpha"


def test_mistakes_are_named_with_their_file(tmp_path: Path, patched: Path) -> None:
    with holding(tmp_path / "user", GREETING, ALPHA, BETA) as (home, _):
        (home.work / "combined.json").write_text('{"combined": {"stratgy": "on_error"}, "model": "combined/claud"}')
        done = process.run([patched, "combined", "check"], cwd=home.work, env=environment(home), timeout=120)
    lines = done.stdout.splitlines()
    where = home.work / "combined.json"
    assert lines[0] == (
        f"{where}: combined.stratgy is not a setting, so it does nothing. Did you mean combined.strategy?"
    )
    assert lines[1].startswith(f"{where}: model: nothing is combined under the name combined/claud for your providers.")


def test_settings_that_contradict_each_other_are_named_at_start_and_by_check(tmp_path: Path, patched: Path) -> None:
    """The project excludes ``beta``, although the user prefers it and the project itself has it as its last resort."""
    with holding(tmp_path / "user", GREETING, ALPHA, BETA) as (home, held):
        for one in held:
            one.go_on()
        where = home.work / "combined.json"
        written = {
            "last_resort": ["beta"],
            "exclude": ["beta/*"],
            "groups": {"mine": ["beta/anthropic/claude-sonnet-4.5", "alpha/claude-sonnet-4-5"]},
            "budget": {"day": 0},
        }
        where.write_text(json.dumps({"combined": written}))
        said = [
            f"{home.config / 'opencode.json'}: provider_priority: beta is never asked: combined.exclude leaves it out.",
            f"{where}: combined.last_resort: beta is not asked at all: combined.exclude leaves it out.",
            f"{where}: combined.groups.mine: beta/anthropic/claude-sonnet-4.5 is never asked: "
            "combined.exclude leaves it out.",
            f'{where}: combined.budget: day is 0, so no request that is billed is sent. "metered": "never" says that '
            "as well.",
        ]
        checked = process.run([patched, "combined", "check"], cwd=home.work, env=environment(home), timeout=120)
        assert checked.stdout.splitlines() == said
        words = ["run", "--model", "alpha/claude-sonnet-4-5", GREETING.prompt]
        started = process.run([patched, *words], cwd=home.work, env=environment(home), timeout=120)
    for line in said:
        assert line in started.stderr


def test_the_first_start_on_a_machine_says_where_a_failover_sends_the_conversation(
    tmp_path: Path, patched: Path
) -> None:
    with holding(tmp_path / "user", GREETING, ALPHA, BETA) as (home, _):
        (home.home / ".local" / "state" / "opencode" / WELCOME).unlink()
        starts = [
            process.run([patched, "models"], cwd=home.work, env=environment(home), timeout=120).stderr for _ in range(2)
        ]
    assert "the whole conversation goes to the next one, a company with its own terms" in starts[0]
    assert "company" not in starts[1]
