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
from opencode_patcher.models import catalogue
from tests.configuration.config_samples import CATALOGUE
from tests.configuration.refused_values import REFUSED

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

LOGINS = {name: {"type": "api", "key": "x"} for name in ("openrouter", "github-copilot")}


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

    server: OpenCodeServer
    home: Home
    catalogue: Path
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
        return survey(variables, project, catalogue.load_providers(self.catalogue))


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
        yield OpenCode(server=server, home=home, catalogue=small, variables={**environment(home), **more})


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
    assert next(group for group in opencode.survey(project).groups if group.id == "mine").members[0].provider_id == (
        "anthropic"
    )
    project = opencode.project("own-file-refused", {})
    (project / "combined.json").write_text(json.dumps({"agent": {}}))
    with pytest.raises(DrillError, match="ConfigInvalidError"):
        opencode.models(project)
    assert [finding.level for finding in opencode.survey(project).errors] == ["error"]


def test_the_same_models_are_there_and_the_same_values_are_refused(patched: Path, tmp_path: Path) -> None:
    with started(patched, tmp_path) as opencode:
        for number, config in enumerate(CONFIGURATIONS):
            project = opencode.project(f"listed-{number}", config)
            found = opencode.survey(project)
            assert found.errors == ()
            mine = {f"{offer.provider_id}/{offer.model_id}" for one in found.connected for offer in one.offers}
            mine |= {f"combined/{group.id}" for group in found.groups}
            assert opencode.models(project) == mine, config
        check_own_file(opencode)
        for number, (config, field) in enumerate(REFUSED):
            project = opencode.project(f"refused-{number}", config)
            with pytest.raises(DrillError, match="ConfigInvalidError") as refused:
                opencode.models(project)
            [issue, *_] = json.loads(refused.value.why)["data"]["issues"]
            assert ".".join(issue["path"]).startswith(field.partition("[")[0]), config
            assert [finding.level for finding in opencode.survey(project).errors] == ["error"], config
