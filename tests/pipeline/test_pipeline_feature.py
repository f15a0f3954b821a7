"""What a user of the patched program meets beside the drill's table: labels, subagents, updates, bad settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.configuration import asked, files
from opencode_patcher.drill.dispatch import observe
from opencode_patcher.drill.drivers.home import Home, configuration, configure, environment, prepare
from opencode_patcher.drill.drivers.probe import probe
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.plan import Reply, Text, ToolCall, Turn
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.server import serving
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, RATE_LIMITED
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario
from opencode_patcher.pipeline import Built

COMBINED = "combined/claude-sonnet-4-5"
NOWHERE = "http://127.0.0.1:9/v1"


@dataclass(frozen=True, kw_only=True)
class Program:
    """The patched program in a home of its own."""

    binary: Path
    home: Home

    def run(self, *arguments: str) -> process.Completed:
        return process.run(
            [self.binary, *arguments], cwd=self.home.work, env=environment(self.home), check=False, timeout=30
        )

    def configure(self, providers: tuple[ProviderSpec, ...], urls: Mapping[str, str], **more: object) -> None:
        settings = configuration(providers, urls, priority=True)
        configure(self.home, {**settings, **more})


@pytest.fixture
def program(built_demo: Built, tmp_path: Path) -> Program:
    urls = {ALPHA.id: NOWHERE, BETA.id: NOWHERE}
    settings = configuration((ALPHA, BETA), urls, priority=True)
    return Program(binary=built_demo.binary, home=prepare(tmp_path / "run", settings))


def greeting(*providers: ProviderSpec) -> Scenario:
    return Scenario(
        name="greeting",
        title="a greeting",
        providers=providers,
        turns=(GREETING,),
        expected=Expectation(served_by=(), requests={}),
    )


def test_models_of_two_providers_are_listed_as_one_beside_their_own(program: Program) -> None:
    assert program.run("models").stdout.splitlines() == [
        "alpha/claude-sonnet-4-5",
        "beta/anthropic/claude-sonnet-4.5",
        COMBINED,
    ]


def test_a_model_of_one_provider_only_is_not_combined(program: Program) -> None:
    program.configure((ALPHA,), {ALPHA.id: NOWHERE})

    assert program.run("models").stdout.splitlines() == ["alpha/claude-sonnet-4-5"]


def test_a_combined_model_with_one_provider_left_still_answers(built_demo: Built, tmp_path: Path) -> None:
    target = probe(built_demo.binary, tmp_path / "probe")

    seen = observe(greeting(ALPHA), target, tmp_path / "left")

    assert seen.code == 0
    assert [exchange.provider for exchange in seen.turn_exchanges] == ["alpha"]


def test_agent_create_asks_one_member_after_another(program: Program) -> None:
    program.configure((ALPHA, BETA), {ALPHA.id: NOWHERE, BETA.id: NOWHERE}, combined={"cooldown": {"min": 1, "max": 1}})
    done = program.run("agent", "create", "reviews code", "-m", COMBINED)

    assert done.code == 1
    (health,) = program.home.root.rglob("combined-health.json")
    assert {"alpha/", "beta/"} <= json.loads(health.read_text(encoding="utf-8"))["members"].keys()


def test_the_screen_says_who_is_serving_and_that_it_changed(program: Program) -> None:
    scenario = greeting(replace(ALPHA, faults=(RATE_LIMITED,)), BETA)
    with serving(scenario.providers, scenario.asked) as fakes:
        program.configure(scenario.providers, {fake.provider.id: fake.base_url for fake in fakes})
        shown = program.run("run", "--model", COMBINED, GREETING.prompt).stdout.splitlines()

    assert shown[0] == "> build · claude-sonnet-4-5 (alpha)"
    assert shown[1] == "Failover: alpha (429 Rate limit reached), beta takes over"
    assert shown[2] == "> build · anthropic/claude-sonnet-4.5 (beta)"
    assert shown[-1].startswith("▣ build · claude-sonnet-4.5 (beta) · ")


def test_the_footer_of_a_stored_message_says_who_served_it(program: Program) -> None:
    scenario = greeting(ALPHA, BETA)
    with serving(scenario.providers, scenario.asked) as fakes:
        program.configure(scenario.providers, {fake.provider.id: fake.base_url for fake in fakes})
        program.run("run", "--model", COMBINED, GREETING.prompt)

    assert "▣ build · claude-sonnet-4-5 (Alpha)" in program.run().stdout


def test_after_a_failed_turn_the_combined_model_is_still_the_chosen_one(program: Program) -> None:
    scenario = greeting(replace(ALPHA, faults=(RATE_LIMITED,)), BETA)
    with serving(scenario.providers, scenario.asked) as fakes:
        program.configure(scenario.providers, {fake.provider.id: fake.base_url for fake in fakes})
        program.run("run", "--model", COMBINED, GREETING.prompt)
    [session] = json.loads(program.run("session", "list", "--format", "json").stdout)

    messages = json.loads(program.run("export", session["id"]).stdout)["messages"]

    assert [message["info"]["role"] for message in messages] == ["user", "assistant"]
    assert messages[0]["info"]["model"] == {"providerID": "combined", "modelID": "claude-sonnet-4-5"}
    assert messages[1]["info"]["providerID"] == "beta"


def test_a_subagent_inherits_the_combined_model_and_fails_over_too(built_demo: Built, tmp_path: Path) -> None:
    """The first provider serves the step that starts the subagent, and fails when the subagent asks it."""
    task = ToolCall(id="call_task", name="task", arguments={"description": "Greet", "prompt": GREETING.prompt})
    delegate = Turn(
        prompt="Let somebody else greet.",
        replies=(Reply(content=(task,)), Reply(content=(Text(text="It was done, says {provider}."),))),
    )
    scenario = replace(greeting(replace(ALPHA, faults=(None, None, RATE_LIMITED)), BETA), turns=(GREETING, delegate))
    target = probe(built_demo.binary, tmp_path / "probe")

    seen = observe(scenario, target, tmp_path / "subagent")

    assert seen.code == 0
    assert [exchange.provider for exchange in seen.turn_exchanges] == ["alpha", "alpha", "alpha", "beta", "beta"]
    assert seen.session is not None
    assert [message.provider for message in seen.session.messages] == ["alpha", "alpha", "beta"]
    assert "Hello from beta" in json.dumps(seen.exchanges[-1].body)


def test_a_discarded_attempt_does_not_count_as_a_step(program: Program) -> None:
    """The last step of a limited agent is made without tools; here the second is the last, and the first fails."""
    scenario = greeting(replace(ALPHA, faults=(RATE_LIMITED,)), BETA)
    with serving(scenario.providers, scenario.asked) as fakes:
        urls = {fake.provider.id: fake.base_url for fake in fakes}
        program.configure(scenario.providers, urls, agent={"build": {"steps": 2}})
        program.run("run", "--model", COMBINED, GREETING.prompt)
        [asked] = [exchange for exchange in fakes[1].exchanges if exchange.purpose is Purpose.TURN]

    assert asked.body.get("tools")


def test_it_refuses_to_be_replaced_by_a_stock_program(program: Program) -> None:
    refused = program.run("upgrade", "1.0.1")

    assert refused.code == 1
    assert "opencode-patcher update" in refused.stderr


def test_a_wrong_setting_is_named(program: Program) -> None:
    program.configure((ALPHA, BETA), {ALPHA.id: NOWHERE, BETA.id: NOWHERE}, provider_priority=1)

    refused = program.run("models")

    assert refused.code == 1
    assert "provider_priority" in refused.stderr


def test_settings_may_be_in_a_file_of_their_own_which_wins_over_the_shared_one(program: Program) -> None:
    own = program.home.work / "combined.json"
    own.write_text(
        json.dumps(
            {
                "combined": {"groups": {"mine": ["beta/anthropic/claude-sonnet-4.5"]}, "stratgy": "x"},
                "model": "combined/mine",
            }
        )
    )

    found = program.run("models")

    assert "combined/mine" in found.stdout
    [line] = [line for line in found.stderr.splitlines() if "Warning" in line]
    assert f"{own}: combined.stratgy is not a setting" in line
    assert "Did you mean combined.strategy?" in line

    own.write_text(json.dumps({"combined": {"first_token_timeout": 30}}))
    refused = program.run("models")
    assert refused.code == 1
    assert str(own) in refused.stderr
    assert "30 seconds are 30000" in refused.stderr

    own.write_text(json.dumps({"agent": {}}))
    refused = program.run("models")
    assert refused.code == 1
    assert f"{own}" in refused.stderr
    assert "not agent; move it to opencode.json" in refused.stderr


def test_the_installed_program_is_asked_what_it_refuses_and_changes_nothing(program: Program, tmp_path: Path) -> None:
    """Ours knows neither the key ``modle`` nor that an agent's steps are a number; only OpenCode does."""
    work = program.home.work
    good = {"combined": {"max_attempts": 3}, "$schema": "{env:WHERE}{file:./schema.txt}"}
    contents = {
        work / "combined.json": {"model": 1},
        work / "opencode.json": {"modle": "x"},
        work / "sub" / "opencode.json": {"agent": {"build": {"steps": "sk-secret"}}},
        work / "sub" / "combined.json": good,
    }
    (work / "sub").mkdir()
    (work / "sub" / "schema.txt").write_text("there")
    for path, content in contents.items():
        path.write_text(json.dumps(content))
    variables = {"HOME": str(tmp_path), "OPENCODE_TEST_MANAGED_CONFIG_DIR": str(tmp_path), "WHERE": "here"}
    found = files.read_all(variables, work / "sub")
    assert {Path(file.name) for file in found} == set(contents)

    problems = asked.ask(program.binary, found, variables, work / "sub")

    assert {(one.file, one.level) for one in problems} == {
        (str(path), "error") for path, content in contents.items() if content is not good
    }
    said = " ".join(one.text for one in problems)
    assert "modle" in said
    assert "sk-secret" not in said
    assert {path: json.loads(path.read_text()) for path in contents} == contents


def test_an_account_is_a_provider_of_its_own_with_the_models_of_another(program: Program) -> None:
    own = program.home.work / "combined.json"
    own.write_text(json.dumps({"combined": {"accounts": {"demo-work": "demo", "other-work": "other"}}}))
    keys = {"OPENCODE_PATCHER_DEMO_KEY": "one", "DEMO_WORK_API_KEY": "two"}

    found = process.run(
        [program.binary, "models"], cwd=program.home.work, env={**environment(program.home), **keys}, timeout=30
    )

    listed = found.stdout.splitlines()
    assert "demo/claude-sonnet-4-5" in listed
    assert "demo-work/claude-sonnet-4-5" in listed
    assert not [line for line in listed if line.startswith("other")]


def test_a_misspelt_key_is_refused_like_upstream_does(program: Program) -> None:
    program.configure((ALPHA, BETA), {ALPHA.id: NOWHERE, BETA.id: NOWHERE}, provider_priorities=["alpha"])

    refused = program.run("models")

    assert refused.code == 1
    assert "provider_priorities" in refused.stderr
