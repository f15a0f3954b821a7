"""The commands `models keys`, `models groups` and `models explain`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from opencode_patcher.base.errors import CatalogueError, UsageError
from opencode_patcher.cli.models import command
from tests.configuration.config_samples import REPORT, answering, member


def model(name: str, released: str = "2025-09-29") -> dict[str, str]:
    return {"name": name, "release_date": released}


CATALOGUE = {
    "anthropic": {
        "models": {
            "claude-sonnet-4-5": model("Claude Sonnet 4.5 (latest)"),
            "claude-sonnet-4-5-20250929": model("Claude Sonnet 4.5"),
            "claude-haiku-4-5": model("Claude Haiku 4.5"),
        }
    },
    "openrouter": {
        "models": {
            "anthropic/claude-sonnet-4.5": model("Anthropic: Claude Sonnet 4.5"),
            "anthropic/claude-sonnet-4.5:thinking": model("Claude Sonnet 4.5 Thinking"),
            "z-ai/glm-5-fp8": model("GLM 5 \ud800"),
        }
    },
    "zai": {"models": {"glm-5": model("GLM-5"), "\ud800": model("half a pair")}},
}


@pytest.fixture
def catalog(tmp_path: Path) -> str:
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(CATALOGUE), encoding="utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_keys_as_json(catalog: str) -> None:
    models = json.loads(run("keys", "--catalog", catalog, "--json").output)["models"]
    found: dict[Any, Any] = {(row["provider"], row["model_id"]): row for row in models}
    assert len(found) == 8
    key = found["openrouter", "anthropic/claude-sonnet-4.5"]["key"]
    assert key == found["anthropic", "claude-sonnet-4-5-20250929"]["key"] == "anthropic/claude-sonnet-4-5"
    assert found["openrouter", "z-ai/glm-5-fp8"]["variant"]["quantisation"] == "fp8"


def test_keys_as_a_table(catalog: str) -> None:
    output = run("keys", "--catalog", catalog, "--provider", "openrouter").output
    assert "openrouter/z-ai/glm-5-fp8" in output
    assert "quantised (fp8)" in output
    assert "haiku" not in output


def test_groups_are_in_the_order_of_the_providers(catalog: str) -> None:
    arguments = ("groups", "--catalog", catalog, "--provider", "openrouter", "--provider", "anthropic")
    found = json.loads(run(*arguments, "--json").output)["groups"]
    assert [item["id"] for item in found] == ["claude-sonnet-4-5"]
    assert [member["provider_id"] for member in found[0]["members"]] == [
        "openrouter",
        "anthropic",
        "anthropic",
    ]
    assert "1. openrouter/anthropic/claude-sonnet-4.5" in run(*arguments).output


def test_groups_with_a_configuration(catalog: str, tmp_path: Path) -> None:
    config = tmp_path / "opencode.json"
    config.write_text('{"provider_priority": ["zzai"], "combined": {"variants": ["quantised"]}}', encoding="utf-8")
    result = run("groups", "--catalog", catalog, "--config", str(config))
    assert "combined/glm-5 " in result.output
    assert "Did you mean zai?" in result.stderr


def test_explain_shows_rules_group_and_neighbours(catalog: str) -> None:
    output = run("explain", "openrouter/anthropic/claude-sonnet-4.5", "--catalog", catalog).output
    assert "anthropic/claude-sonnet-4-5" in output
    assert "Combined as combined/claude-sonnet-4-5: 3 models of 2 providers." in output
    assert "the only snapshot: 20250929\n      The catalogue knows no other snapshot" in output
    assert "claude-sonnet-4-5-thinking: another mode (- here, thinking there)" in output
    assert "claude-haiku-4-5: another generation or model (sonnet here, haiku there)" in output


def test_explain_says_why_a_model_is_not_combined(catalog: str) -> None:
    found = json.loads(run("explain", "zai/glm-5", "--catalog", catalog, "--json").output)
    assert found["group"] is None
    assert "combined.variants" in found["outcome"]
    alone = json.loads(run("explain", "anthropic/claude-haiku-4-5", "--catalog", catalog, "--json").output)
    assert "no other provider offers it" in alone["outcome"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("anthropic/claude-sonet-4-5", "Did you mean anthropic/claude-sonnet-4-5?"),
        ("antropic/claude", "Did you mean anthropic?"),
        ("qqqqqqqq/x", "models keys"),
        ("", "models keys"),
    ],
)
def test_explain_of_an_unknown_model(catalog: str, name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        run("explain", name, "--catalog", catalog)
    assert message in str(caught.value)


def test_an_unknown_provider(catalog: str) -> None:
    with pytest.raises(UsageError, match="anthropic"):
        run("groups", "--catalog", catalog, "--provider", "anthropc")


def test_an_invalid_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("hello", encoding="utf-8")
    for arguments in (("keys",), ("groups",), ("explain", "a/b")):
        with pytest.raises(CatalogueError, match="is not a catalogue"):
            run(*arguments, "--catalog", str(path))


def test_opencodes_own_catalogue_is_the_default(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(isolated / "cache"))
    path = isolated / "cache" / "opencode" / "models.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(CATALOGUE), encoding="utf-8")
    assert len(json.loads(run("keys", "--json").output)["models"]) == 8


def own(tmp_path: Path, *words: str, **changes: object) -> Result:
    return run(*words, "--binary", str(answering(tmp_path / "opencode", REPORT | changes)))


def test_groups_are_the_users_as_opencode_sees_them(tmp_path: Path) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=11, seconds=55)).isoformat()
    out = {"class": "quota", "message": "402 No credits", "until": until}
    mine = {
        "id": "best",
        "name": "best",
        "own": True,
        "members": [
            member("zai/glm-5", out=out, terms=["free"]),
            member("a/b", wish="skipped", when=["quota"], price_class="plan"),
        ],
    }
    output = own(tmp_path, "groups", models=[*REPORT["models"], mine]).output
    lines = output.splitlines()
    assert lines[0] == "combined/best  best"
    assert re.fullmatch(r"  1\. zai/glm-5  \(avoided until \d\d:\d\d \(in 12 min\): quota, free\)", lines[1])
    assert lines[2:] == [
        "  2. a/b  (skipped, plan, only after quota)",
        "combined/claude-sonnet-4-5  Claude Sonnet 4.5",
        "  1. anthropic/claude-sonnet-4-5  (ready, $3 in, $15 out, 200k)",
        "  2. github-copilot/claude-sonnet-4.5  (ready)",
        "Combined models: 2",
    ]
    found = json.loads(own(tmp_path, "groups", "--json").output)["groups"]
    assert [item["id"] for item in found] == ["claude-sonnet-4-5"]
    off = own(tmp_path, "groups", models=[], off="disabled_providers names combined")
    assert off.output == "Nothing is combined: disabled_providers names combined.\n"


def test_explain_of_a_combined_model(tmp_path: Path) -> None:
    priority = {"key": "provider_priority", "source": "/home/me/combined.json"}
    output = own(tmp_path, "explain", "combined/claude-sonnet-4-5", settings=[priority]).output
    assert "  1. anthropic/claude-sonnet-4-5  (ready" in output
    assert "The order is that of provider_priority in /home/me/combined.json." in output
    assert "models explain anthropic/claude-sonnet-4-5" in output
    alone = {"id": "kimi", "name": "Kimi", "members": [member("moonshot/kimi")]}
    output = own(tmp_path, "explain", "combined/kimi", alone=[alone]).output
    assert "It is not combined: only moonshot has it." in output
    with pytest.raises(UsageError, match="Did you mean 'claude-sonnet-4-5'"):
        own(tmp_path, "explain", "combined/claude-sonet-4-5")


def test_without_an_opencode_it_says_what_to_do(isolated: Path) -> None:
    with pytest.raises(UsageError, match="Only a patched OpenCode knows which models are combined") as caught:
        run("groups")
    assert "--all" in str(caught.value)
