"""What is wrong in the user's configuration regarding combined models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from opencode_patcher.configuration.files import ConfigFile
from opencode_patcher.models import json_schema, settings
from opencode_patcher.models.nearest import nearest

COMBINED = "combined"
"""Id of the provider that the patches add (combined/provider/catalogue.ts)."""


@dataclass(frozen=True, kw_only=True)
class ConfigProblem:
    """Something wrong. With an ``error`` OpenCode does not start; with a ``warning`` a setting has no effect.

    ``file`` is a path or a variable, ``line`` counts from 1; both are None when unknown. ``fix`` says what to do.
    """

    level: Literal["error", "warning"]
    file: str | None
    line: int | None
    text: str
    fix: str = ""

    @property
    def where(self) -> str:
        """File and line as compilers write them; empty when neither is known."""
        return "" if self.file is None else self.file if self.line is None else f"{self.file}:{self.line}"


def check_files(files: Sequence[ConfigFile]) -> tuple[ConfigProblem, ...]:
    """Problems that can be found without knowing any provider: unreadable files, values that OpenCode refuses."""
    return tuple(finding for file in files for finding in _check_file(file))


def _check_file(file: ConfigFile) -> Iterator[ConfigProblem]:
    if file.data is None:
        fix = "Correct it; OpenCode does not start with it."
        yield ConfigProblem(level="error", file=file.name, line=None, text=file.problem, fix=fix)
        return
    yield from _mistyped_keys(file, file.data)
    for problem in settings.problems(file.data):
        text = f"{problem.field} {problem.what}. {problem.why}".strip()
        fix = problem.help or ("Remove it; it does nothing." if problem.ignored else "Correct the value.")
        level: Literal["error", "warning"] = "warning" if problem.ignored else "error"
        yield ConfigProblem(level=level, file=file.name, line=file.line_of(problem.path), text=text, fix=fix)


def _mistyped_keys(file: ConfigFile, data: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Misspelled keys of ours, and keys that our own file may not have. OpenCode refuses a file for either."""
    for key in data:
        if file.own and key not in json_schema.KEYS:
            near = nearest(key, json_schema.KEYS)
            text = f"{key} does not belong in this file. It may have {', '.join(json_schema.KEYS[1:])}."
            fix = f"Did you mean {near}?" if near else "Move it to opencode.json."
            yield ConfigProblem(level="error", file=file.name, line=file.line_of((key,)), text=text, fix=fix)
        elif key not in settings.KEYS and not file.own and (near := nearest(key, settings.KEYS)):
            text = f"{key} is not a key that OpenCode knows."
            yield ConfigProblem(
                level="error", file=file.name, line=file.line_of((key,)), text=text, fix=f"Did you mean {near}?"
            )
