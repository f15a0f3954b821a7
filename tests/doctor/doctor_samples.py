"""Runs ``opencode-patcher`` in this process as a user would, and reads what ``doctor`` says."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencode_patcher.__main__ import run
from tests.configuration.config_samples import REPORT


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A user with ``home`` and work directory, whose source is a path."""

    home: Path
    work: Path
    source: str
    report: Path

    @property
    def config(self) -> Path:
        return self.home / ".config" / "opencode" / "opencode.jsonc"

    def says(self, **changes: object) -> None:
        """Changes what the installed OpenCode says of the user."""
        self.report.write_text(json.dumps(REPORT | changes))

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
    """A configuration that a stock OpenCode refuses."""
    config = home / ".config" / "opencode"
    config.mkdir(parents=True)
    (config / "opencode.jsonc").write_text('{ // mine\n  "provider_priority": ["anthropic"],\n}\n')


def saying(report: Path) -> str:
    """The part of a program's script that makes it answer as a patched OpenCode does."""
    return f"""[ "$1" = combined ] && exec cat '{report}'"""
