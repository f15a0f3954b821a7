"""A user's opencode.json: mistakes are reported so that they can be fixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.base.errors import UsageError
from opencode_patcher.models import options
from opencode_patcher.models.chain import How, Item
from opencode_patcher.models.grouping import Options
from tests.models.model_samples import chain, offers


def test_all_fields() -> None:
    config = {
        "$schema": "https://opencode.ai/config.json",
        "provider_priority": ["anthropic", "openrouter"],
        "combined": {
            "min_providers": 3,
            "combine_latest": False,
            "exclude": ["*/*:free"],
            "groups": {"mine": ["a/b"]},
            "variants": ["quantised"],
            "regions": ["eu"],
        },
    }
    assert options.read(config, "opencode.json") == Options(
        priority=("anthropic", "openrouter"),
        min_providers=3,
        combine_latest=False,
        exclude=("*/*:free",),
        groups={"mine": chain("a/b")},
        variants=("quantised",),
        regions=("eu",),
    )


def test_chains_that_cannot_be_walked() -> None:
    mine = offers("a/gpt-5", "b/gpt-5", "b/glm-5")
    given = Options(
        groups={
            "one": chain("b/glm-5", "combined/two"),
            "two": chain("combined/one"),
            "empty": chain(),
            "twice": chain("a/gpt-5", "combined/gpt-6", "a/gpt-5"),
            "never": chain(Item(model="combined/glm-5", how=How(when=("quota",)))),
        },
        fallbacks={"": chain("combined/twize"), "build": chain("b/glm-6")},
    )
    assert options.check(given, mine) == (
        "combined.groups.one: it contains itself (one > two > one), so it is left out.",
        "combined.groups.two: it contains itself (two > one > two), so it is left out.",
        "combined.groups.empty: it has no models.",
        "combined.groups.twice: no group combined/gpt-6. Did you mean combined/gpt-5?",
        "combined.groups.twice: a/gpt-5 is there twice, and only the first one counts.",
        'combined.groups.never: with "when", combined/glm-5 is never asked, since it is the first.',
        "combined.fallback: no group combined/twize. Did you mean combined/twice?",
        "agent.build.fallback: no model b/glm-6. Did you mean b/glm-5?",
    )


def test_the_priority_may_be_one_string() -> None:
    assert options.read({"provider_priority": " a, b ,,c"}, "opencode.json").priority == ("a", "b", "c")


def test_the_settings_of_failover_are_accepted() -> None:
    combined = {
        "strategy": "on_overload",
        "max_attempts": 1,
        "first_token_timeout": 30_000,
        "stall_timeout": 2000.0,
        "cooldown": {"min": 0, "max": 1},
        "last_resort": ["openrouter"],
        "stickiness": 0,
    }
    assert options.read({"combined": combined}, "opencode.json") == Options()


def test_nothing_set() -> None:
    assert options.read({}, "opencode.json") == Options()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"provider_priority": 7}, "provider_priority must be a list of texts or a text"),
        ({"provider_priority": ["a", 1]}, "provider_priority must be a list of texts"),
        ({"combined": []}, "combined must be an object"),
        ({"combined": {"min_provider": 2}}, "Did you mean 'min_providers'?"),
        ({"combined": {"min_providers": 0}}, "min_providers must be a whole number from 1 to 9007199254740991"),
        ({"combined": {"min_providers": True}}, "min_providers must be a whole number from 1 to 9007199254740991"),
        ({"combined": {"combine_latest": "no"}}, "combine_latest must be true or false"),
        ({"combined": {"groups": {"x": "a/b"}}}, "groups['x'] must be a list or an object"),
        ({"combined": {"groups": {"x": [1]}}}, "groups['x'][0] must be a text or an object"),
        ({"combined": {"groups": {"x": {}}}}, "groups['x'] has no models"),
        (
            {"combined": {"groups": {"x": [{"model": "a/b", "when": ["rain"]}]}}},
            "is 'rain', which is not a known value",
        ),
        ({"combined": {"fallback": 1}}, "fallback must be a text or a list or an object"),
        ({"combined": {"groups": ["a/b"]}}, "combined.groups must be an object"),
        ({"combined": {"variants": ["quantized"]}}, "Did you mean 'quantised'?"),
        ({"combined": {"exclude": {}}}, "combined.exclude must be a list of texts"),
    ],
)
def test_mistakes(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        options.read(config, "opencode.json")
    assert message in str(caught.value)
    assert str(caught.value).startswith("opencode.json: ")


def test_a_file_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "opencode.jsonc"
    path.write_text(
        '{ // first\n "provider_priority": ["a", /* not b */ "c//d", ], // last\n'
        ' "combined": {"exclude": ["a/*,]"],}\n}',
        encoding="utf-8",
    )
    found = options.load(path)
    assert (found.priority, found.exclude) == (("a", "c//d"), ("a/*,]",))


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "{'a': 1}"])
def test_a_file_that_is_not_a_configuration(tmp_path: Path, text: str) -> None:
    path = tmp_path / "opencode.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"opencode\.json is no"):
        options.load(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        options.load(tmp_path / "none.json")


def test_unknown_names_get_the_nearest_known_one() -> None:
    mine = offers("anthropic/claude-opus-4-7", "openrouter/anthropic/claude-opus-4.7", "z.ai/glm-5")
    given = Options(
        priority=("Anthropic", "zai", "openruoter", "q"),
        groups={"mine": chain("anthropic/claude-opus-4.8", "antropic/x", "z.ai/glm-5")},
        exclude=("*/gpt-*", "OpenRouter/*"),
    )
    assert options.check(given, mine) == (
        "provider_priority: no provider openruoter. Did you mean openrouter?",
        "provider_priority: no provider q.",
        "combined.groups.mine: no model anthropic/claude-opus-4.8. Did you mean anthropic/claude-opus-4-7?",
        "combined.groups.mine: no provider antropic. Did you mean anthropic?",
        "combined.exclude: */gpt-* matches no model of your providers.",
    )
