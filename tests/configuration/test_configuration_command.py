"""``opencode-patcher config`` as a user sees it: what to add can be added, and then nothing is left to add."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.configuration import files
from opencode_patcher.models import policies
from tests.configuration.config_samples import REPORT, User, answering, member

CHOSEN = {"key": "model", "value": "anthropic/claude-sonnet-4-5"}


@pytest.fixture
def config(user: User, monkeypatch: pytest.MonkeyPatch) -> User:
    """The user, in whose work directory and environment this process is."""
    user.environment["OPENCODE_PATCHER_HOME"] = str(user.root / "store")
    for name, value in user.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(user.work)
    return user


def config_of(user: User, *words: str, **changes: object) -> int:
    """Runs ``config`` with an OpenCode that says this."""
    return run(["config", "--binary", str(answering(user.root / "opencode", REPORT | changes)), *words])


def added(text: str) -> str:
    """The lines of JSON in what was printed below "Add this"."""
    lines = text.partition("Add this to ")[2].splitlines()[1:]
    return "\n".join(line for line in lines[: next(i for i, line in enumerate(lines) if line.startswith("The order"))])


def test_the_lines_are_a_complete_file_if_there_is_none(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert config_of(config) == 0
    text = capsys.readouterr().out
    own = config.config.with_name("combined.json")
    assert f"Add this to {own}:" in text
    assert not own.exists(), "nothing is written"
    config.writes(own, added(text))
    assert json.loads(own.read_text()) == {
        "$schema": "./combined.schema.json",
        "provider_priority": ["github-copilot", "anthropic"],
    }
    assert config_of(config, settings=[{"key": "provider_priority", "source": str(own)}]) == 0
    assert "Your configuration needs no changes." in capsys.readouterr().out


@pytest.mark.parametrize("before", ["{}", '{\n  // mine\n  "model": "x/y"\n}\n', '{ "combined": {} }'])
def test_the_lines_fit_after_the_first_brace(config: User, capsys: pytest.CaptureFixture[str], before: str) -> None:
    own = config.writes(config.config.with_name("combined.json"), before)
    assert config_of(config) == 0
    text = capsys.readouterr().out
    assert "right after the first {:" in text
    after = before.replace("{", "{\n" + added(text) + "\n", 1)
    data = files.parse("combined.json", after).data
    assert data is not None
    assert data["provider_priority"] == ["github-copilot", "anthropic"]
    assert own.read_text() == before


def test_an_existing_model_is_changed_where_it_is(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    project = config.writes(config.work / "opencode.jsonc", '{\n"model": "anthropic/claude-sonnet-4-5"\n}')
    assert config_of(config, settings=[CHOSEN]) == 0
    text = capsys.readouterr().out
    assert f'change line 2 of {project} to:\n  "model": "combined/claude-sonnet-4-5"\n' in text


def test_a_model_in_the_shared_file_beside_it_stays_as_it_is(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.writes(config.config, '{"model": "anthropic/claude-sonnet-4-5"}')
    assert config_of(config, settings=[CHOSEN]) == 0
    assert json.loads(added(capsys.readouterr().out))["model"] == "combined/claude-sonnet-4-5"


def test_the_schema_is_the_published_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--schema"]) == 0
    published = Path(__file__).parents[2] / "docs" / "combined.schema.json"
    assert capsys.readouterr().out == published.read_text(encoding="utf-8"), "make it again: config --schema"


def test_who_else_sees_the_conversation_is_said(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert config_of(config, left_out=["opencode/glm-5-free"], unpromised=["openrouter"]) == 0
    text = capsys.readouterr().out
    assert "Free offers are left out, because their terms for your data differ: opencode." in text
    assert "A failover sends the whole conversation to the next provider" in text
    assert "Not known to promise what combined.require asks for, so left out: openrouter." in text
    free = {
        "id": "glm-5",
        "name": "GLM-5",
        "members": [member("opencode/glm-5-free", terms=["free"]), member("zai/glm-5")],
    }
    assert config_of(config, models=[free]) == 0
    text = capsys.readouterr().out
    assert "combined/glm-5  (opencode, zai)" in text
    assert "Free offers, whose terms for your data differ, are among them: opencode." in text


def test_what_opencode_does_not_use_is_not_counted(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    unused = [{"id": "anthropic", "why": "OpenCode needs a plugin for this kind of login"}]
    assert config_of(config, unused_logins=unused, plugins=["some-plugin"], providers=[], models=[]) == 0
    text = capsys.readouterr().out
    assert "The login to anthropic is not used: OpenCode needs a plugin for this kind of login." in text
    assert "Plugins were not loaded, so what they add is not counted: some-plugin." in text
    assert "No provider is connected." in text


def test_without_an_opencode_only_the_files_are_checked(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.writes(config.config, {})
    assert run(["config"]) == 0
    text = capsys.readouterr().out
    assert "Only a patched OpenCode knows which models are combined for you, and there is none here." in text
    assert " there is none here. To make one: opencode-patcher build" in text
    assert "Without it, only your configuration files are checked." in text
    assert text.endswith("Checked: 1 configuration file, nothing wrong.\n")
    assert run(["config", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["asked"], said["combined"], said["add"]) == (None, [], {})


def test_every_promise_is_documented_with_its_source() -> None:
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
    for policy in policies.load():
        assert f"| `{policy.provider}` |" in page
        assert policy.source in page


def test_json_has_the_same(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.writes(config.config, '{"model": "anthropic/claude-sonnet-4-5", "provider_priority": ["nobody"]}')
    settings = [{"key": "provider_priority"}, {"key": "model", "value": "anthropic/claude-sonnet-4-5"}]
    mistakes = [{"source": str(config.config), "text": "provider_priority: no provider nobody."}]
    assert config_of(config, "--json", settings=settings, mistakes=mistakes) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == [str(config.config)]
    assert [provider["id"] for provider in said["providers"]] == ["anthropic", "github-copilot", "opencode"]
    assert said["combined"] == [
        {
            "model": "combined/claude-sonnet-4-5",
            "own": False,
            "members": ["anthropic/claude-sonnet-4-5", "github-copilot/claude-sonnet-4.5"],
        }
    ]
    assert said["file"] == str(config.config.with_name("combined.json"))
    assert said["add"] == {"$schema": "./combined.schema.json", "model": "combined/claude-sonnet-4-5"}
    assert said["change"] == []
    assert [(finding["level"], finding["line"]) for finding in said["findings"]] == [("warning", 1)]


def test_check_only_says_what_is_wrong(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    config.writes(config.config, '{\n"combined": {\n"max_attempts": 0}}')
    assert run(["config", "--check"]) == 1
    text = capsys.readouterr().out
    wanted = "a whole number from 1 to 9007199254740991"
    assert f"error: {config.config}:3: combined.max_attempts must be {wanted}. It is 0." in text
    assert "Your providers" not in text
    config.writes(config.config, "{}")
    assert run(["config", "--check"]) == 0
    assert capsys.readouterr().out == "Checked: 1 configuration file, nothing wrong.\n"


def test_the_reason_why_nothing_is_combined_is_shown(config: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert config_of(config, off="disabled_providers names combined", models=[]) == 0
    text = capsys.readouterr().out
    assert "Nothing is combined: disabled_providers names combined." in text
    assert "nothing wrong" in text
    assert config_of(config, "--json", off="disabled_providers names combined", models=[]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["combined"], shown["off"]) == ([], "disabled_providers names combined")
