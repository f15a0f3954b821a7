"""Reading OpenCode's configuration files, each as it is and all together as OpenCode merges them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from opencode_patcher.base import jsonc
from opencode_patcher.base.files import read_text
from opencode_patcher.configuration import places

VARIABLE = re.compile(r"\{env:([^{}\n]{1,200})\}")
"""Refers to an environment variable (upstream's config/variable.ts)."""

LIMIT = 4_000_000
"""The largest configuration file, in bytes."""


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """One existing file. ``name`` is its path, or the name of the variable that holds it.

    ``data`` is None when it could not be read or is not an object; then ``problem`` says why. Only a patched OpenCode
    reads an ``own`` file.
    """

    name: str
    text: str
    data: Mapping[str, object] | None
    problem: str = ""
    own: bool = False

    def line_of(self, path: jsonc.Path) -> int | None:
        """The line (from 1) of the value at ``path``, or of the innermost existing one around it; None for the whole
        file."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path) if path else None

    def line_of_value(self, path: jsonc.Path, values: Collection[str]) -> int | None:
        """The line of the first text or key at or below ``path`` that is one of ``values``."""
        for entry in jsonc.entries(self.text):
            below = entry.path[: len(path)] == path and len(entry.path) > len(path)
            if below and (entry.string in values or entry.path[-1] in values):
                return entry.first
        return None

    @cached_property
    def _lines(self) -> Mapping[jsonc.Path, int]:
        return {entry.path: entry.first for entry in jsonc.entries(self.text)}


def read_all(environment: Mapping[str, str], directory: Path) -> tuple[ConfigFile, ...]:
    """Every configuration that an OpenCode started in ``directory`` would read, in its order. Never raises."""
    found = [_read(path, environment, directory) for path in places.files(environment, directory)]
    if content := environment.get(places.CONTENT_VARIABLE):
        found.append(parse(places.CONTENT_VARIABLE, content, environment))
    found += [_read(path, environment, directory) for path in places.managed_files(environment)]
    return tuple(file for file in found if file)


def _read(path: Path, environment: Mapping[str, str], directory: Path) -> ConfigFile | None:
    own = places.is_own(path, environment, directory)
    try:
        text = read_text(path, limit=LIMIT, errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        problem = f"It cannot be read: {reason or error}."
        return ConfigFile(name=str(path), text="", data=None, problem=problem, own=own)
    return replace(parse(str(path), text, environment), own=own)


def parse(name: str, text: str, environment: Mapping[str, str] = os.environ) -> ConfigFile:
    """A configuration from its text. An empty one is an empty object, as for OpenCode."""
    if not text:
        return ConfigFile(name=name, text=text, data={})
    try:
        data = _loads(text, environment)
    except ValueError as error:
        return ConfigFile(name=name, text=text, data=None, problem=f"It is not valid JSON: {error}.")
    if not isinstance(data, dict):
        return ConfigFile(name=name, text=text, data=None, problem="It is not an object.")
    return ConfigFile(name=name, text=text, data=data)


def _loads(text: str, environment: Mapping[str, str]) -> object:
    """The configuration in ``text``. {env:...} and {file:...} are not replaced by their values: those may be keys, and
    what is read here is shown to the user. A text becomes empty if the values of its variables are empty
    (config/variable.ts).
    """
    try:
        return _settled(jsonc.loads(text), environment)
    except ValueError:
        # A variable stands for a number or an object.
        full = VARIABLE.sub(lambda found: environment.get(found[1], ""), text)
        if full == text:
            raise
        values = {environment[name]: f"{{env:{name}}}" for name in VARIABLE.findall(text) if environment.get(name)}
        return _settled(jsonc.loads(full), environment, values)


def _settled(value: object, environment: Mapping[str, str], values: Mapping[str, str] | None = None) -> object:
    """The value, with each variable's content replaced by its name. ``values`` maps the contents that were inserted to
    the names.
    """
    if isinstance(value, dict):
        return {key: _settled(inner, environment, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_settled(inner, environment, values) for inner in value]
    if not isinstance(value, str):
        return value
    for content, name in (values or {}).items():
        value = value.replace(content, name)
    return value if VARIABLE.sub(lambda found: environment.get(found[1], ""), value) else ""
