"""``opencode-patcher config`` as a user sees it: what to add can be added, and then nothing is left to add."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.configuration import files
from opencode_patcher.models import policies
from tests.configuration.config_samples import CATALOGUE, User


@pytest.fixture
def config(user: User, monkeypatch: pytest.MonkeyPatch) -> User:
    """The user, in whose work directory and environment this process is."""
    catalogue = user.writes(user.root / "models.json", CATALOGUE)
    user.environment["OPENCODE_MODELS_PATH"] = str(catalogue)
    for name, value in user.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(user.work)
    return user


def added(text: str) -> str:
    """The lines of JSON in what was printed below "Add this"."""
    lines = text.partition("Add this to ")[2].splitlines()[1:]
    return "\n".join(line for line in lines[: next(i for i, line in enumerate(lines) if line.startswith("The order"))])


def test_the_lines_are_a_complete_file_if_there_is_none(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.logs_in(anthropic="api", github_copilot="oauth")
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    own = config.config.with_name("combined.json")
    assert f"Add this to {own}:" in text
    assert not own.exists(), "nothing is written"
    config.writes(own, added(text))
    assert json.loads(own.read_text()) == {
        "$schema": "./combined.schema.json",
        "provider_priority": ["github-copilot", "anthropic"],
    }
    assert run(["config"]) == 0
    assert "Your configuration needs no changes." in capsys.readouterr().out


@pytest.mark.parametrize("before", ["{}", '{\n  // mine\n  "model": "x/y"\n}\n', '{ "combined": {} }'])
def test_the_lines_fit_after_the_first_brace(config: User, capsys: pytest.CaptureFixture[str], before: str) -> None:
    config.logs_in(anthropic="api", github_copilot="oauth")
    own = config.writes(config.config.with_name("combined.json"), before)
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    assert "right after the first {:" in text
    after = before.replace("{", "{\n" + added(text) + "\n", 1)
    data = files.parse("combined.json", after).data
    assert data is not None
    assert data["provider_priority"] == ["github-copilot", "anthropic"]
    assert own.read_text() == before


def test_an_existing_model_is_changed_where_it_is(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.logs_in(anthropic="api", github_copilot="oauth")
    project = config.writes(config.work / "opencode.jsonc", '{\n"model": "anthropic/claude-sonnet-4-5"\n}')
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    assert f'change line 2 of {project} to:\n  "model": "combined/claude-sonnet-4-5"\n' in text


def test_a_model_in_the_shared_file_beside_it_stays_as_it_is(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.logs_in(anthropic="api", github_copilot="oauth")
    config.writes(config.config, '{"model": "anthropic/claude-sonnet-4-5"}')
    assert run(["config"]) == 0
    assert json.loads(added(capsys.readouterr().out))["model"] == "combined/claude-sonnet-4-5"


def test_the_schema_is_the_published_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--schema"]) == 0
    published = Path(__file__).parents[2] / "docs" / "combined.schema.json"
    assert capsys.readouterr().out == published.read_text(encoding="utf-8"), "make it again: config --schema"


def test_free_offers_are_left_out_until_they_are_named(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.logs_in(anthropic="api", openrouter="api")
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    assert "combined/glm-5" not in text
    assert "Free offers are left out, because their terms for your data differ: opencode." in text
    assert "A failover sends the whole conversation to the next provider" in text
    config.writes(config.config.with_name("combined.json"), {"provider_priority": ["anthropic", "opencode"]})
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    assert "combined/glm-5  (opencode, openrouter)" in text
    assert "Free offers, whose terms for your data differ, are among them: opencode." in text


def test_providers_that_do_not_promise_what_is_required_are_named(
    config: User, capsys: pytest.CaptureFixture[str]
) -> None:
    config.logs_in(anthropic="api", openrouter="api", github_copilot="oauth")
    own = config.config.with_name("combined.json")
    config.writes(own, {"combined": {"require": {"no_training": True, "trust": ["anthropic", "openrouter"]}}})
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    assert "combined/claude-sonnet-4-5  (anthropic, openrouter)" in text
    assert "Not known to promise what combined.require asks for, so left out: github-copilot, opencode." in text


def test_every_promise_is_documented_with_its_source() -> None:
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
    for policy in policies.load():
        assert f"| `{policy.provider}` |" in page
        assert policy.source in page


def test_json_has_the_same(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.logs_in(anthropic="api", github_copilot="oauth")
    config.writes(config.config, '{"model": "anthropic/claude-sonnet-4-5", "provider_priority": ["nobody"]}')
    assert run(["config", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == [str(config.config)]
    assert [provider["id"] for provider in said["providers"]] == ["anthropic", "github-copilot", "opencode"]
    assert said["combined"] == [
        {
            "model": "combined/claude-sonnet-4-5",
            "members": ["anthropic/claude-sonnet-4-5", "github-copilot/claude-sonnet-4.5"],
        }
    ]
    assert said["file"] == str(config.config.with_name("combined.json"))
    assert said["add"] == {"$schema": "./combined.schema.json", "model": "combined/claude-sonnet-4-5"}
    assert said["change"] == []
    assert [(finding["level"], finding["line"]) for finding in said["findings"]] == [("warning", 1)]
    assert "a secret" not in json.dumps(said)


def test_check_only_says_what_is_wrong(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.logs_in(anthropic="api", github_copilot="oauth")
    config.writes(config.config, '{\n"combined": {\n"max_attempts": 0}}')
    assert run(["config", "--check"]) == 1
    text = capsys.readouterr().out
    wanted = "a whole number from 1 to 9007199254740991"
    assert f"error: {config.config}:3: combined.max_attempts must be {wanted}. It is 0." in text
    assert "Your providers" not in text
    config.writes(config.config, "{}")
    assert run(["config", "--check"]) == 0
    assert capsys.readouterr().out == "Checked: 1 configuration file, nothing wrong.\n"


def test_errors_are_found_without_a_catalogue(
    config: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENCODE_MODELS_PATH")
    monkeypatch.setenv("OPENCODE_PATCHER_HOME", str(config.root / "store"))
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    config.writes(config.config, {"combined": {"max_attempts": 0}})
    assert run(["config", "--check"]) == 1
    assert "combined.max_attempts" in capsys.readouterr().out
    config.writes(config.config, {})
    assert run(["config", "--check"]) == ToolchainError.exit_code
    error = capsys.readouterr().err
    assert "--catalog FILE" in error
    assert "--models-json" not in error


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"disabled_providers": ["combined"]}, "disabled_providers names combined"),
        (
            {"provider": {"combined": {"models": {"mine": {}}}}, "model": "combined/mine"},
            "you have a provider of your own that is called combined",
        ),
    ],
)
def test_the_reason_why_nothing_is_combined_is_shown(
    config: User, capsys: pytest.CaptureFixture[str], more: dict[str, object], why: str
) -> None:
    config.logs_in(anthropic="api", github_copilot="oauth")
    config.writes(config.config, more)
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    assert f"Nothing is combined: {why}." in text
    assert "combined/claude" not in text
    assert "nothing wrong" in text
    assert run(["config", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["combined"], shown["off"]) == ([], why)


def test_nobody_is_logged_in(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.writes(config.config, {"disabled_providers": ["opencode"]})
    assert run(["config"]) == 0
    assert "opencode auth login" in capsys.readouterr().out


def test_an_invalid_catalogue(config: User, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    assert run(["config", "--catalog", str(tmp_path / "x.json")]) == 10
    assert "--catalog" in capsys.readouterr().err
