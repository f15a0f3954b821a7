"""A user's home with OpenCode's files in it, and a small catalogue."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opencode_patcher.configuration.survey import Survey, survey
from opencode_patcher.models import catalogue

CATALOGUE: dict[str, dict[str, Any]] = {
    "anthropic": {
        "env": ["ANTHROPIC_API_KEY"],
        "models": {
            "claude-sonnet-4-5": {"name": "Claude Sonnet 4.5", "release_date": "2025-09-29"},
            "claude-opus-4-5": {
                "name": "Claude Opus 4.5",
                "experimental": {"modes": {"fast": {}}},
            },
            "claude-2": {"name": "Claude 2", "status": "deprecated"},
        },
    },
    "openrouter": {
        "env": ["OPENROUTER_API_KEY"],
        "models": {
            "anthropic/claude-sonnet-4.5": {"name": "Anthropic: Claude Sonnet 4.5"},
            "anthropic/claude-opus-4.5": {"name": "Anthropic: Claude Opus 4.5"},
            "anthropic/claude-2": {"name": "Anthropic: Claude 2"},
            "z-ai/glm-5": {"name": "GLM 5"},
        },
    },
    "github-copilot": {
        "env": ["GITHUB_TOKEN"],
        "models": {"claude-sonnet-4.5": {"name": "Claude Sonnet 4.5"}},
    },
    "opencode": {
        "env": ["OPENCODE_API_KEY"],
        "models": {
            "glm-5-free": {"name": "GLM 5 Free", "cost": {"input": 0, "output": 0}},
            "claude-sonnet-4-5": {"name": "Claude Sonnet 4.5", "cost": {"input": 3, "output": 15}},
        },
    },
}

PROVIDERS = catalogue.parse_providers(json.dumps(CATALOGUE).encode(), "the sample")


@dataclass(kw_only=True)
class User:
    """The files of a user below ``root``; ``environment`` is what OpenCode would be started with."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True)
        (self.work / ".git").mkdir()
        self.environment |= {"HOME": str(self.root), "OPENCODE_TEST_MANAGED_CONFIG_DIR": str(self.root / "managed")}

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def config(self) -> Path:
        return self.root / ".config" / "opencode" / "opencode.json"

    def writes(self, path: Path, content: object) -> Path:
        """``content`` as JSON, or as it is if it is a text."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def logs_in(self, **types: str) -> None:
        """Makes the list of logins; underscores stand for hyphens."""
        logins = {id_.replace("_", "-"): {"type": type_, "key": "a secret"} for id_, type_ in types.items()}
        self.writes(self.root / ".local" / "share" / "opencode" / "auth.json", logins)

    def survey(self) -> Survey:
        return survey(self.environment, self.work, PROVIDERS)
