"""A user's home with OpenCode's files in it, a small catalogue, and a program that answers like a patched OpenCode."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opencode_patcher.configuration.survey import Survey, survey

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


def member(name: str, **changes: object) -> dict[str, object]:
    provider, _, model = name.partition("/")
    return {"provider": provider, "model": model, "name": model, "terms": [], **changes}


REPORT: dict[str, Any] = {
    "format": 1,
    "opencode": "1.18.15",
    "build": "opencode-patcher",
    "directory": "/work",
    "models": [
        {
            "id": "claude-sonnet-4-5",
            "name": "Claude Sonnet 4.5",
            "own": False,
            "members": [
                member(
                    "anthropic/claude-sonnet-4-5",
                    price={"input": 3, "output": 15, "cache_read": 0.3},
                    limit={"context": 200000, "output": 64000},
                ),
                member("github-copilot/claude-sonnet-4.5"),
            ],
        }
    ],
    "providers": [
        {"id": "anthropic", "name": "Anthropic", "login": "environment", "variable": "ANTHROPIC_API_KEY", "models": 3},
        {"id": "github-copilot", "name": "GitHub Copilot", "login": "oauth", "models": 1},
        {"id": "opencode", "name": "OpenCode", "login": "free", "models": 1},
    ],
}
"""What a patched OpenCode says (templates/combined/view/report.ts)."""


def answering(path: Path, report: object = REPORT, *, refuses: str = "", version: str = "1.17.90") -> Path:
    """A program that is asked as a patched OpenCode is. It notes what it was given in ``path.asked``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(report if isinstance(report, str) else json.dumps(report), encoding="utf-8")
    path.write_text(
        f"""#!/bin/sh
{{ echo "$PWD: $*"; env | sort; }} > '{path}.asked'
[ "$1" = --version ] && exec echo '{version}'
[ -n '{refuses}' ] && {{ echo '{refuses}' >&2; exit 1; }}
[ "$1" = combined ] && exec cat '{path.with_suffix(".json")}'
exit 0
"""
    )
    path.chmod(0o755)
    return path


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

    def survey(self, **changes: object) -> Survey:
        """What is found; ``changes`` are made to what OpenCode says."""
        return survey(self.environment, self.work, answering(self.root / "opencode", REPORT | changes))
