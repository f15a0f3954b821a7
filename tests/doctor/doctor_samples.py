"""Runs ``opencode-patcher`` in this process as a user would, and reads what ``doctor`` says."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencode_patcher.__main__ import run
from tests.configuration.config_samples import CATALOGUE


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A user with ``home`` and work directory, whose source is a path."""

    home: Path
    work: Path
    source: str

    @property
    def config(self) -> Path:
        return self.home / ".config" / "opencode" / "opencode.jsonc"

    def run(self, *words: str) -> int:
        return run(words)

    def doctor(self, *, source: str | None = None) -> tuple[int, dict[str, list[dict[str, Any]]]]:
        """The exit code, and the findings by the names of their checks."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = run(["doctor", "--json", "--source", source or self.source])
        said = json.loads(out.getvalue())
        found: dict[str, list[dict[str, Any]]] = {}
        for finding in said["findings"]:
            found.setdefault(finding["check"], []).append(finding)
        assert said["blocked"] == any(one["level"] == "blocks" for one in said["findings"])
        assert code == (1 if said["blocked"] else 0)
        return code, found


def write_opencode_files(home: Path) -> None:
    """A catalogue in OpenCode's cache, two logins, and a configuration that a stock OpenCode refuses."""
    cache, data = home / ".cache" / "opencode", home / ".local" / "share" / "opencode"
    for directory in (cache, data, home / ".config" / "opencode"):
        directory.mkdir(parents=True)
    (cache / "models.json").write_text(json.dumps(CATALOGUE))
    logins = {name: {"type": "api", "key": "a secret"} for name in ("anthropic", "openrouter")}
    (data / "auth.json").write_text(json.dumps(logins))
    (home / ".config" / "opencode" / "opencode.jsonc").write_text(
        '{ // mine\n  "provider_priority": ["anthropic"],\n}\n'
    )
