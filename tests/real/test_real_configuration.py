"""Level 3: what ``opencode-patcher config`` says of a configuration is what the patched OpenCode does with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.base.errors import DrillError
from opencode_patcher.configuration.survey import Survey, survey
from opencode_patcher.drill.drivers.home import Home, environment, prepare, start_project
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, serving
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from tests.configuration.config_samples import CATALOGUE
from tests.configuration.refused_values import REFUSED

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

LOGINS = {name: {"type": "api", "key": "x"} for name in ("openrouter", "github-copilot", "nobody")}


def write_catalogue(path: Path) -> None:
    """The small catalogue, each model with all the fields that OpenCode asks for."""
    full = {
        id_: {
            "id": id_,
            "name": id_,
            "npm": "@ai-sdk/openai-compatible",
            "api": "http://127.0.0.1:9/v1",
            **provider,
            "models": {
                model_id: {
                    "id": model_id,
                    "release_date": "2025-01-01",
                    "attachment": False,
                    "reasoning": False,
                    "temperature": True,
                    "tool_call": True,
                    "cost": {"input": 1, "output": 1},
                    "limit": {"context": 200_000, "output": 8_000},
                    **model,
                }
                for model_id, model in provider["models"].items()
            },
        }
        for id_, provider in CATALOGUE.items()
    }
    path.write_text(json.dumps(full))


@dataclass(frozen=True, kw_only=True)
class OpenCode:
    """The server of the patched binary, in a home with the small catalogue and logins."""

    binary: Path
    server: OpenCodeServer
    home: Home
    variables: dict[str, str | None]

    def project(self, name: str, config: dict[str, Any]) -> Path:
        project = self.home.at(name)
        start_project(project)
        (project.work / "opencode.json").write_text(json.dumps(config))
        return project.work

    def models(self, project: Path) -> set[str]:
        """What it lists. Raises DrillError when it refuses the configuration."""
        found = as_object(self.server.at(project).call("GET", "/config/providers"))
        return {
            f"{provider['id']}/{model}"
            for provider in as_objects(found["providers"])
            for model in as_object(provider["models"])
        }

    def survey(self, project: Path) -> Survey:
        variables = {name: value for name, value in self.variables.items() if value is not None}
        return survey(variables, project, self.binary)


@contextmanager
def started(binary: Path, root: Path) -> Iterator[OpenCode]:
    home = prepare(root / "user", {})
    small = root / "models.json"
    write_catalogue(small)
    data = home.home / ".local" / "share" / "opencode"
    data.mkdir(parents=True)
    (data / "auth.json").write_text(json.dumps(LOGINS))
    more = {"OPENCODE_MODELS_PATH": str(small), "ANTHROPIC_API_KEY": "x"}
    with serving(binary, home, variables=more) as server:
        yield OpenCode(binary=binary, server=server, home=home, variables={**environment(home), **more})


CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"disabled_providers": ["opencode"], "provider_priority": "openrouter"},
    {"enabled_providers": ["anthropic", "github-copilot"], "combined": {"min_providers": 2.0}},
    {
        "provider": {
            "mine": {"npm": "@ai-sdk/openai-compatible", "models": {"claude-sonnet-4-5": {}}},
            "anthropic": {"blacklist": ["claude-opus-4-5"]},
            "openrouter": {"whitelist": ["z-ai/glm-5"]},
        },
        "combined": {"groups": {"own": ["anthropic/claude-sonnet-4-5"]}, "unheard_of": 1},
    },
]


def check_own_file(opencode: OpenCode) -> None:
    """combined.json wins over the opencode.json beside it, and is refused as a whole for a key of somebody else."""
    project = opencode.project("own-file", {"combined": {"groups": {"mine": ["openrouter/z-ai/glm-5"]}}})
    own = project / "combined.json"
    own.write_text(json.dumps({"combined": {"groups": {"mine": ["anthropic/claude-opus-4-5"]}}, "small_model": "a/b"}))
    assert "combined/mine" in opencode.models(project)
    report = opencode.survey(project).report
    assert report
    (mine,) = (model for model in report.models if model.own)
    assert [member.key for member in mine.members] == ["anthropic/claude-opus-4-5"]
    groups = report.setting("combined.groups")
    assert groups
    assert groups.source == str(own)
    project = opencode.project("own-file-refused", {})
    (project / "combined.json").write_text(json.dumps({"agent": {}}))
    with pytest.raises(DrillError, match="ConfigInvalidError"):
        opencode.models(project)
    assert [finding.level for finding in opencode.survey(project).errors] == ["error"]


MISTAKEN = """\
{
  "model": "combined/claude-sonet-4-5",
  "provider_priority": ["antropic",
    "opencode",
    "github-copilot"],
  "combined": {
    "last_resort": ["openruoter"],
    "accounts": {"work": "antropic"},
    "stickyness": 5
  }
}
"""


def files_of(project: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".git" not in path.parts}


def check_mistakes(opencode: OpenCode) -> None:
    project = opencode.project("mistaken", {"disabled_providers": ["opencode"]})
    (project / "opencode.json").write_text('{"disabled_providers": ["opencode"]}')
    (project / "combined.json").write_text(MISTAKEN)
    (project / ".opencode").mkdir()
    before = files_of(project)
    found = opencode.survey(project)
    assert {finding.line: finding.text.split(" ")[0].rstrip(":") for finding in found.findings} == {
        2: "model",
        3: "provider_priority",
        4: "provider_priority",
        7: "combined.last_resort",
        8: "combined.accounts.work",
        9: "combined.stickyness",
    }
    assert found.report
    assert [login.id for login in found.report.unused_logins] == ["nobody"]
    assert files_of(project) == before, "asking changes nothing, not even a missing $schema"


def test_what_is_reported_is_what_is_there_and_the_same_values_are_refused(patched: Path, tmp_path: Path) -> None:
    with started(patched, tmp_path) as opencode:
        for number, config in enumerate(CONFIGURATIONS):
            project = opencode.project(f"listed-{number}", config)
            found = opencode.survey(project)
            assert found.errors == ()
            assert found.report
            listed = opencode.models(project)
            assert {f"combined/{model.id}" for model in found.report.models} == {
                name for name in listed if name.startswith("combined/")
            }, config
            for provider in found.report.providers:
                assert sum(name.startswith(f"{provider.id}/") for name in listed) == provider.models, provider
            assert {member.key for model in found.report.models for member in model.members} <= listed
        check_own_file(opencode)
        check_mistakes(opencode)
        for number, (config, field) in enumerate(REFUSED):
            project = opencode.project(f"refused-{number}", config)
            with pytest.raises(DrillError, match="ConfigInvalidError") as refused:
                opencode.models(project)
            [issue, *_] = json.loads(refused.value.why)["data"]["issues"]
            assert ".".join(issue["path"]).startswith(field.partition("[")[0]), config
            assert [finding.level for finding in opencode.survey(project).errors] == ["error"], config
