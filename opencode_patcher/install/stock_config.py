"""What in the user's configuration a stock OpenCode refuses. It is shown to the user and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher import jsonc
from opencode_patcher.configuration import files
from opencode_patcher.models.settings import KEYS

MODEL_PREFIX = "combined/"
"""A model of this provider makes a stock OpenCode say "Model not found"."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines of one configuration (``name`` as in ``ConfigFile``) that a stock OpenCode refuses: numbers and text."""

    name: str
    lines: tuple[tuple[int, str], ...]


def find(environment: Mapping[str, str], directory: Path) -> tuple[Lines, ...]:
    """Such lines in all that OpenCode reads when it is started in ``directory``, but for unreadable files."""
    read = ((file.name, foreign_lines(file.text)) for file in files.read_all(environment, directory))
    return tuple(Lines(name=name, lines=lines) for name, lines in read if lines)


def foreign_lines(text: str) -> tuple[tuple[int, str], ...]:
    """The lines of a JSON text with comments that hold one of ``KEYS`` with its value, or a combined model."""
    rows = text.split("\n")
    numbers = sorted(set(_foreign_numbers(text)))
    return tuple((number, rows[number - 1].rstrip()) for number in numbers)


def _foreign_numbers(text: str) -> Iterator[int]:
    for entry in jsonc.entries(text):
        own = len(entry.path) == 1 and entry.path[0] in KEYS
        if own or (entry.string or "").startswith(MODEL_PREFIX):
            yield from range(entry.first, entry.last + 1)
