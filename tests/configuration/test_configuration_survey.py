"""Which models the user has, what is wrong in the configuration, and what to add to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opencode_patcher.configuration.advice import Advice, advise
from tests.configuration.config_samples import User
from tests.configuration.refused_values import REFUSED


def means(user: User) -> dict[str, str]:
    return {provider.id: provider.means for provider in user.survey().connected}


def advice(user: User) -> Advice:
    found = user.survey()
    return advise(found.files, found.config, found.connected, found.groups)


def test_providers_are_connected_as_opencode_does_it(user: User) -> None:
    assert means(user) == {"opencode": "free"}
    user.logs_in(github_copilot="oauth", openrouter="api", unheard_of="api")
    user.environment["ANTHROPIC_API_KEY"] = "x"
    assert means(user) == {
        "anthropic": "environment",
        "openrouter": "key",
        "github-copilot": "login",
        "opencode": "free",
    }
    user.writes(user.config, {"disabled_providers": ["opencode"], "enabled_providers": ["openrouter", "opencode"]})
    assert means(user) == {"openrouter": "key"}


def test_a_provider_of_the_configuration(user: User) -> None:
    user.writes(
        user.config,
        {
            "provider": {
                "mine": {"models": {"claude-sonnet-4-5": {}}},
                "anthropic": {"options": {}, "blacklist": ["claude-opus-4-5"]},
                "openrouter": {"env": ["MY_KEY"], "whitelist": ["z-ai/glm-5"]},
                "broken": 7,
            }
        },
    )
    found = {provider.id: [offer.model_id for offer in provider.offers] for provider in user.survey().connected}
    assert found["mine"] == ["claude-sonnet-4-5"]
    assert found["anthropic"] == ["claude-sonnet-4-5", "claude-opus-4-5-fast"]
    assert found["openrouter"] == ["z-ai/glm-5"]
    assert [group.id for group in user.survey().groups] == ["claude-sonnet-4-5"]


def test_an_account_has_the_models_of_its_provider_and_a_key_of_its_own(user: User) -> None:
    user.logs_in(anthropic="api", anthropic_home="api")
    user.environment["ANTHROPIC_WORK_API_KEY"] = "x"
    accounts = {"anthropic-work": "anthropic", "anthropic-home": "anthropic", "anthropic-old": "anthropic", "x": "y"}
    user.writes(
        user.config.with_name("combined.json"), {"combined": {"accounts": {**accounts, "openrouter": "anthropic"}}}
    )
    found = user.survey()
    assert means(user) == {
        "anthropic": "key",
        "opencode": "free",
        "anthropic-work": "environment",
        "anthropic-home": "key",
    }
    (group,) = (group for group in found.groups if group.id == "claude-sonnet-4-5")
    assert [member.provider_id for member in group.members] == ["anthropic", "anthropic-home", "anthropic-work"]
    (finding,) = found.findings
    assert finding.text == "combined.accounts.x: no provider y."


def test_models_are_those_that_opencode_shows(user: User) -> None:
    user.logs_in(anthropic="api")
    found = {provider.id: [offer.model_id for offer in provider.offers] for provider in user.survey().connected}
    assert found == {
        "anthropic": ["claude-sonnet-4-5", "claude-opus-4-5", "claude-opus-4-5-fast"],
        "opencode": ["glm-5-free"],
    }
    user.logs_in(opencode="api")
    found = {provider.id: [offer.model_id for offer in provider.offers] for provider in user.survey().connected}
    assert found == {"opencode": ["glm-5-free", "claude-sonnet-4-5"]}


def test_the_proposed_order_is_subscription_vendor_router_free(user: User) -> None:
    user.logs_in(github_copilot="oauth", openrouter="api")
    user.environment["ANTHROPIC_API_KEY"] = "x"
    user.writes(user.config, {"combined": {"variants": ["free"]}})
    proposal = advice(user)
    assert proposal.add == {"provider_priority": ["github-copilot", "anthropic", "openrouter", "opencode"]}
    line = '  "provider_priority": ["github-copilot", "anthropic", "openrouter", "opencode"]'
    assert proposal.lines(whole=False) == (line + ",",)
    assert json.loads("\n".join(proposal.lines(whole=True))) == proposal.add


def test_only_providers_behind_a_combined_model_are_proposed(user: User) -> None:
    user.logs_in(github_copilot="oauth", anthropic="api")
    assert advice(user).add == {"provider_priority": ["github-copilot", "anthropic"]}
    user.logs_in(anthropic="api")
    assert advice(user).add == {}


def test_the_users_own_order_stays(user: User) -> None:
    user.logs_in(github_copilot="oauth", anthropic="api")
    user.writes(user.config, '{\n  "provider_priority": "anthropic",\n  "model": "anthropic/claude-sonnet-4-5"\n}')
    proposal = advice(user)
    assert proposal.add == {}
    (change,) = proposal.changes
    assert (change.value, change.file, change.line) == ("combined/claude-sonnet-4-5", str(user.config), 3)
    user.writes(user.config, '{"provider_priority": []}')
    (change,) = advice(user).changes
    assert (change.key, change.value) == ("provider_priority", ["github-copilot", "anthropic"])
    user.writes(user.config, {"provider_priority": ["anthropic"], "model": "combined/claude-sonnet-4-5"})
    assert advice(user) == Advice(add={}, changes=())


CONFIG = """\
{
  "model": "combined/claude-sonet-4-5",
  "provider_priority": [
    "antropic",
    "Anthropic", // case does not matter
    "github-copilot"
  ],
  "combined": {
    "groups": {"mine": ["anthropic/claude-sonnet-4-5",
      "anthropic/claude-sonnet-9"]},
    "last_resort": ["openruoter", "*/*:free", "openrouter/z-ai/*"],
    "exclude": ["*/no-such-*"],
    "stickyness": 5
  }
}
"""


def test_unknown_names_are_found_with_their_lines(user: User) -> None:
    user.logs_in(anthropic="api", openrouter="api")
    user.writes(user.config, CONFIG)
    found = {(finding.line, finding.level): (finding.text, finding.fix) for finding in user.survey().findings}
    assert all(finding.file == str(user.config) for finding in user.survey().findings)
    assert len(found) == len(user.survey().findings) - 1  # two on line 11
    assert found.keys() == {(line, "warning") for line in (2, 4, 6, 10, 11, 12, 13)}
    assert "Did you mean combined/claude-sonnet-4-5?" in found[2, "warning"][1]
    assert "Did you mean anthropic?" in found[4, "warning"][0]
    assert found[6, "warning"] == (
        "provider_priority: github-copilot is not connected, so it is never used.",
        "Log in to it: opencode auth login",
    )
    assert "Did you mean anthropic/claude-sonnet-4-5?" in found[10, "warning"][0]
    assert "stickiness" in found[13, "warning"][1]


WINDOWS = """\
{
  "combined": {"windows": {
    "threshold": 950,
    "providers": {
      "antropic": 90,
      "Anthropic": "off",
      "openrouter": 101
    }, "order": "soonest"}}
}
"""


def test_windows_that_never_apply_are_found(user: User) -> None:
    user.logs_in(anthropic="api", openrouter="api")
    user.writes(user.config, WINDOWS)
    found = {finding.line: (finding.level, finding.text, finding.fix) for finding in user.survey().findings}
    fix = 'Write a percentage from 1 to 100, or "off".'
    assert found == {
        3: ("warning", "combined.windows.threshold: 950 percent of a window are never used.", fix),
        5: (
            "warning",
            "combined.windows.providers: antropic is not a provider. Did you mean anthropic?",
            "Correct or remove it.",
        ),
        7: ("warning", "combined.windows.providers.openrouter: 101 percent of a window are never used.", fix),
    }


NESTED = """\
{ "disabled_providers": ["opencode"],
  "agent": {
    "careful": {"model": "combined/claude-opus-45"}
  },
  "command": {
    "review": {"template": "x", "model": "combined/glm-5"}
  },
  "combined": {"cooldown": {
    "min": 5000,
    "max": 1000
  }}
}
"""


def test_unknown_models_of_agents_and_commands_and_swapped_limits_are_found(user: User) -> None:
    user.logs_in(anthropic="api", openrouter="api")
    user.writes(user.config, NESTED)
    found = {finding.line: (finding.level, finding.text, finding.fix) for finding in user.survey().findings}
    assert found.keys() == {3, 6, 9}
    assert found[3][2] == "Did you mean combined/claude-opus-4-5?"
    assert "command.review.model: combined/glm-5 has too few providers to be combined" in found[6][1]
    assert "min (5000) is more than max (1000)" in found[9][1]


def test_a_combined_model_is_missing_where_combining_is_switched_off(user: User) -> None:
    user.logs_in(anthropic="api", openrouter="api")
    user.writes(user.config, {"disabled_providers": ["combined"], "model": "combined/claude-sonnet-4-5"})
    (finding,) = user.survey().findings
    assert finding.text.startswith("model: nothing is combined under the name combined/claude-sonnet-4-5")


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


def test_the_file_that_decides_is_named(user: User) -> None:
    user.logs_in(anthropic="api", openrouter="api")
    user.writes(user.config, {"provider_priority": ["nobody"]})
    project = user.writes(user.work / "opencode.json", '{\n"provider_priority": ["noone"]}')
    (finding,) = user.survey().findings
    assert (finding.file, finding.line, "noone" in finding.text) == (str(project), 2, True)


@pytest.mark.parametrize(("config", "field"), REFUSED)
def test_a_value_that_opencode_refuses_is_an_error(user: User, config: dict[str, Any], field: str) -> None:
    user.writes(user.config, config)
    found = user.survey()
    assert [finding.level for finding in found.findings] == ["error"]
    assert found.findings[0].text.startswith(f"{field} ")
    assert found.groups == ()


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
