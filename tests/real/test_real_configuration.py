"""Level 3: what ``opencode-patcher config`` says of a configuration is what the patched OpenCode does with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.base import process
from opencode_patcher.configuration.survey import Survey, survey
from opencode_patcher.drill.drivers.home import Home, environment, prepare
from opencode_patcher.models import catalogue
from tests.configuration.config_samples import CATALOGUE
from tests.configuration.refused_values import REFUSED

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

SECONDS = 120.0


class OpenCode:
    """The patched binary in a home of its own, with the small catalogue."""

    def __init__(self, binary: Path, root: Path) -> None:
        self.binary = binary
        self.home: Home = prepare(root / "user", {})
        self.catalogue = root / "models.json"
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
        self.catalogue.write_text(json.dumps(full))

    def environment(self) -> dict[str, str | None]:
        return environment(self.home) | {"OPENCODE_MODELS_PATH": str(self.catalogue), "ANTHROPIC_API_KEY": "x"}

    def configure(self, config: object, logins: object) -> None:
        (self.home.config / "opencode.json").write_text(json.dumps(config))
        data = self.home.home / ".local" / "share" / "opencode"
        data.mkdir(parents=True, exist_ok=True)
        (data / "auth.json").write_text(json.dumps(logins))

    def models(self) -> process.Completed:
        return process.run(
            [self.binary, "models"], cwd=self.home.work, env=self.environment(), timeout=SECONDS, check=False
        )

    def survey(self) -> Survey:
        variables = {name: value for name, value in self.environment().items() if value is not None}
        return survey(variables, self.home.work, catalogue.load_providers(self.catalogue))


@pytest.fixture
def opencode(patched: Path, tmp_path: Path) -> OpenCode:
    return OpenCode(patched, tmp_path)


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


@pytest.mark.parametrize("config", CONFIGURATIONS)
def test_the_same_models_are_there(opencode: OpenCode, config: dict[str, Any]) -> None:
    opencode.configure(config, {name: {"type": "api", "key": "x"} for name in ("openrouter", "github-copilot")})
    found = opencode.survey()
    assert found.errors == ()
    mine = {f"{offer.provider_id}/{offer.model_id}" for one in found.connected for offer in one.offers}
    mine |= {f"combined/{group.id}" for group in found.groups}
    assert set(opencode.models().stdout.split()) == mine


@pytest.mark.parametrize(("config", "field"), REFUSED)
def test_the_same_values_are_refused(opencode: OpenCode, config: dict[str, Any], field: str) -> None:
    opencode.configure(config, {})
    done = opencode.models()
    assert done.code != 0
    assert "Configuration is invalid" in done.stderr
    assert field.partition("[")[0] in done.stderr
    assert [finding.level for finding in opencode.survey().errors] == ["error"]
