"""What is wrong in the configuration, what a patched OpenCode says about it, and what to add to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opencode_patcher.base.line import OPENCODE_2
from opencode_patcher.configuration.advice import Advice, advise
from opencode_patcher.configuration.survey import survey
from tests.configuration.config_samples import User, answering, member
from tests.configuration.refused_values import REFUSED


def advice(user: User, **changes: object) -> Advice:
    found = user.survey(**changes)
    assert found.report
    return advise(found.files, found.report)


def test_the_proposed_order_is_subscription_vendor_router_free(user: User) -> None:
    providers = [
        {"id": "openrouter", "login": "key", "models": 300},
        {"id": "anthropic", "login": "environment", "models": 3},
        {"id": "opencode", "login": "free", "models": 1},
        {"id": "github-copilot", "login": "oauth", "models": 9},
        {"id": "unused", "login": "oauth", "models": 1},
    ]
    keys = ("opencode/a", "openrouter/a", "anthropic/a", "github-copilot/a")
    models = [{"id": "a", "name": "A", "members": [member(key) for key in keys]}]
    proposal = advice(user, providers=providers, models=models)
    assert proposal.add == {"provider_priority": ["github-copilot", "anthropic", "openrouter", "opencode"]}
    line = '  "provider_priority": ["github-copilot", "anthropic", "openrouter", "opencode"]'
    assert proposal.lines(whole=False) == (line + ",",)
    assert json.loads("\n".join(proposal.lines(whole=True))) == proposal.add
    assert advice(user, models=[]).add == {}


def test_the_users_own_order_stays(user: User) -> None:
    user.writes(user.config, '{\n  "provider_priority": "anthropic",\n  "model": "anthropic/claude-sonnet-4-5"\n}')
    order = {"key": "provider_priority", "source": str(user.config)}
    model = {"key": "model", "source": str(user.config), "value": "anthropic/claude-sonnet-4-5"}
    proposal = advice(user, settings=[order, model])
    assert proposal.add == {}
    (change,) = proposal.changes
    assert (change.value, change.file, change.line) == ("combined/claude-sonnet-4-5", str(user.config), 3)
    assert advice(user, settings=[order, model | {"value": "combined/claude-sonnet-4-5"}]) == Advice(add={}, changes=())


CONFIG = """\
{
  "model": "combined/claude-sonet-4-5",
  "provider_priority": [
    "antropic",
    "Anthropic", // case does not matter
    "github-copilot"
  ],
  "combined": {
    "last_resort": ["openrouter",
      "openruoter"],
    "stickyness": 5
  }
}
"""


def test_mistakes_that_opencode_names_have_lines(user: User) -> None:
    user.writes(user.config, CONFIG)
    source = str(user.config)
    texts = (
        "model: nothing is combined under the name combined/claude-sonet-4-5 for your providers.",
        "provider_priority: no provider antropic. Did you mean anthropic?",
        "provider_priority: github-copilot is not connected, so it is never used.",
        "combined.last_resort: openruoter matches no provider and no model.",
        "combined.stickyness is not a setting, so it does nothing. Did you mean combined.stickiness?",
    )
    found = user.survey(mistakes=[{"source": source, "text": text} for text in texts]).findings
    assert [(finding.level, finding.file, finding.line) for finding in found] == [
        ("warning", source, line) for line in (11, 2, 4, 6, 10)
    ], "the unknown key is said once, as the file's check says it"
    assert found[3].fix == "Log in to it: opencode auth login"
    (elsewhere,) = user.survey(mistakes=[{"text": texts[1]}]).findings[1:]
    assert (elsewhere.file, elsewhere.line) == (None, None)


def test_the_value_of_a_variable_is_not_in_what_is_shown(user: User) -> None:
    user.environment["MY_KEY"] = "sk-secret"
    user.writes(user.config, '{"provider_priority": ["{env:MY_KEY}"]}')
    mistake = {"source": str(user.config), "text": "provider_priority: no provider sk-secret."}
    (finding,) = user.survey(mistakes=[mistake]).findings
    assert finding.text == "provider_priority: no provider {env:MY_KEY}."


def test_opencode_is_asked_where_the_user_is_and_changes_nothing(user: User) -> None:
    user.logs_in(anthropic="api")
    (user.root / ".local" / "state" / "opencode").mkdir(parents=True)
    before = sorted(path for path in user.root.rglob("*") if path.is_file())
    user.survey()
    asked = (user.root / "opencode.asked").read_text()
    assert asked.startswith(f"{user.work}: combined list --json\n")
    for line in (
        "OPENCODE_PURE=1",
        "OPENCODE_COMBINED_LOOK=1",
        "OPENCODE_CONFIG_CONTENT={}",
        "HTTPS_PROXY=http://127.0.0.1:9",
    ):
        assert line in asked
    assert f"XDG_DATA_HOME={user.root}" not in asked, "no build upgrades the user's database"
    assert "a secret" not in asked
    made = {user.root / name for name in ("opencode", "opencode.json", "opencode.asked")}
    assert {path for path in user.root.rglob("*") if path.is_file()} - made == set(before)


@pytest.mark.parametrize("said", ["", "{}", '{"format": 1}', "not JSON", '{"format": 2}'])
def test_an_opencode_that_says_something_else_is_a_reason_and_no_crash(user: User, said: str) -> None:
    found = survey(user.environment, user.work, answering(user.root / "opencode", said))
    assert found.report is None
    assert found.silence
    assert "does not say what it combines" in found.silence.what


def test_an_opencode_that_refuses_says_why(user: User) -> None:
    binary = answering(user.root / "opencode", refuses="Error: Unknown argument: json")
    found = survey(user.environment, user.work, binary)
    assert found.silence
    assert found.silence.why == "Error: Unknown argument: json"
    assert "build" in found.silence.next_step


def test_of_a_whole_help_only_the_reason_is_said(user: User) -> None:
    binary = answering(user.root / "opencode", refuses="ERROR\n  Unrecognized flag: --json\n\nDESCRIPTION\n  Long.")
    found = survey(user.environment, user.work, binary, line=OPENCODE_2)
    assert found.silence
    assert found.silence.why == "ERROR Unrecognized flag: --json"
    assert found.silence.next_step.endswith("opencode-patcher build --line 2")


def test_it_is_not_asked_with_files_that_it_refuses(user: User) -> None:
    user.writes(user.config, {"combined": 7})
    found = user.survey()
    assert [finding.level for finding in found.findings] == ["error"]
    assert (found.report, found.silence) == (None, None)
    assert not (user.root / "opencode.asked").exists()


@pytest.mark.parametrize(
    ("key", "meant"), [("combind", "combined"), ("provider_priorty", "provider_priority"), ("Combined", "combined")]
)
def test_a_mistyped_key_is_an_error_that_names_the_right_one(user: User, key: str, meant: str) -> None:
    """OpenCode does not start with a key at the top that it does not know."""
    user.writes(user.config, {key: {}})
    (finding,) = user.survey().findings
    assert (finding.level, finding.fix) == ("error", f"Did you mean {meant}?")


def test_the_own_keys_of_opencode_are_not_reported(user: User) -> None:
    user.writes(user.config, {"provider": {}, "command": {}, "compaction": {}, "enabled_providers": ["opencode"]})
    assert user.survey().findings == ()


def test_a_limit_that_was_meant_in_seconds_is_an_error_that_says_so(user: User) -> None:
    user.writes(user.config, {"combined": {"first_token_timeout": 30, "stall_timeout": 1000}})
    (finding,) = user.survey().findings
    assert finding.level == "error"
    assert finding.text.startswith("combined.first_token_timeout must be a whole number from 1000")
    assert finding.fix == "It is in milliseconds. If you mean 30 seconds, write 30000."


FALLBACKS = """\
{ "agent": {
    "a": {"fallback": 42},
    "b": {"fallback": [{"modle": "anthropic/claude-opus-4-5"}]},
    "c": {"fallback": {"models": ["openrouter/z-ai/glm-5"], "on_refuzal": "stop"}}
}}
"""


def test_mistakes_in_what_is_asked_after_an_agents_model_are_found(user: User) -> None:
    """OpenCode takes any key of an agent, and any value of it."""
    user.writes(user.config, FALLBACKS)
    found = [(finding.line, finding.level, finding.text) for finding in user.survey().findings]
    assert {(line, level) for line, level, _ in found} == {(line, "warning") for line in (2, 3, 4)}
    texts = [text for _, _, text in found]
    assert "agent.a.fallback must be a text or a list or an object. It is 42. Nothing is asked" in texts[0]
    assert any(text.startswith("agent.b.fallback[0] has no model. Nothing is asked after") for text in texts)
    assert any(text.startswith("agent.c.fallback.on_refuzal is not a setting.") for text in texts)


@pytest.mark.parametrize(
    ("key", "fix"), [("agent", "Move it to opencode.json."), ("provider_priorty", "Did you mean provider_priority?")]
)
def test_other_keys_in_combined_json_are_errors(user: User, key: str, fix: str) -> None:
    file = user.writes(user.config.with_name("combined.json"), {"$schema": "x", "model": "a/b", key: {}})
    found = [finding for finding in user.survey().findings if finding.level == "error"]
    assert [(finding.file, finding.fix) for finding in found] == [(str(file), fix)]


def test_an_infinite_number_is_an_error(user: User) -> None:
    user.writes(user.config, '{"combined": {"cooldown": {"max": 1e999}}}')
    (finding,) = user.survey().findings
    assert finding.level == "error"
    assert finding.text.startswith("combined.cooldown.max must be a whole number")


@pytest.mark.parametrize(("config", "field"), REFUSED)
def test_a_value_that_opencode_refuses_is_an_error(user: User, config: dict[str, Any], field: str) -> None:
    user.writes(user.config, config)
    found = user.survey()
    assert [finding.level for finding in found.findings] == ["error"]
    assert found.findings[0].text.startswith(f"{field} ")
    assert found.report is None


def test_a_value_that_opencode_accepts_is_not_an_error(user: User) -> None:
    user.writes(
        user.config,
        {
            "provider_priority": "opencode",
            "combined": {
                "cooldown": {"min": 0, "max": 1},
                "stickiness": 0,
                "min_providers": 2.0,
                "exclude": [],
                "windows": {"threshold": "off", "providers": {"opencode": 100}, "order": "priority"},
            },
        },
    )
    assert user.survey().findings == ()
