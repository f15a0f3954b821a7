"""What in the user's configuration a stock OpenCode refuses. It is shown to the user and never changed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

KEYS = ("provider_priority", "combined")
"""Top-level keys that only a patched OpenCode knows; a stock one refuses the whole file (config/parse.ts)."""

MODEL_PREFIX = "combined/"
"""A model of this provider makes a stock OpenCode say "Model not found"."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\],:]', re.DOTALL)
_OWN_NAMES = ("opencode.json", "opencode.jsonc")


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines of one file that only a patched OpenCode understands: line numbers from 1, with their text."""

    path: Path
    lines: tuple[tuple[int, str], ...]


def find(environment: Mapping[str, str], directory: Path) -> tuple[Lines, ...]:
    """Such lines in all files that OpenCode reads when it is started in ``directory``, but for unreadable ones."""
    found = []
    for path in dict.fromkeys(places(environment, directory)):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if lines := foreign_lines(text):
            found.append(Lines(path=path, lines=lines))
    return tuple(found)


def places(environment: Mapping[str, str], directory: Path) -> Iterator[Path]:
    """The configuration files OpenCode may read (packages/opencode/src/config/config.ts, paths.ts, managed.ts)."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    user = environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    if user:
        yield from (Path(user) / "opencode" / name for name in ("config.json", *_OWN_NAMES))
    if home:
        yield from (Path(home) / ".opencode" / name for name in _OWN_NAMES)
    if chosen := environment.get("OPENCODE_CONFIG"):
        yield directory / Path(chosen)
    if chosen := environment.get("OPENCODE_CONFIG_DIR"):
        yield from (directory / Path(chosen) / name for name in _OWN_NAMES)
    for above in (directory, *directory.parents):
        yield from (above / name for name in _OWN_NAMES)
        yield from (above / ".opencode" / name for name in _OWN_NAMES)
    yield from (_managed(environment) / name for name in _OWN_NAMES)


def _managed(environment: Mapping[str, str]) -> Path:
    if sys.platform == "darwin":
        return Path("/Library/Application Support/opencode")
    if sys.platform == "win32":
        return Path(environment.get("ProgramData", "C:\\ProgramData")) / "opencode"
    return Path("/etc/opencode")


def foreign_lines(text: str) -> tuple[tuple[int, str], ...]:
    """The lines of a JSON text with comments that hold one of ``KEYS`` with its value, or a combined model."""
    rows = text.split("\n")
    numbers = sorted(set(_foreign_numbers(text)))
    return tuple((number, rows[number - 1].rstrip()) for number in numbers)


def _foreign_numbers(text: str) -> Iterator[int]:
    tokens = [token for token in _TOKEN.finditer(text) if not token[0].startswith("/")]
    depth = 0
    inside = False
    for index, token in enumerate(tokens):
        word = token[0]
        line = text.count("\n", 0, token.start()) + 1
        if depth == 1 and word in (",", "}"):
            inside = False
        is_key = index + 1 < len(tokens) and tokens[index + 1][0] == ":"
        if depth == 1 and is_key and word[1:-1] in KEYS:
            inside = True
        if inside or (not is_key and word.startswith(f'"{MODEL_PREFIX}')):
            yield line
        if word in ("{", "["):
            depth += 1
        if word in ("}", "]"):
            depth -= 1
