"""What in the user's configuration a stock OpenCode refuses. It is shown to the user and never changed.

Nothing else of a configuration is shown: there may be keys beside it, even on the same line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import jsonc
from opencode_patcher.configuration import files
from opencode_patcher.models.settings import KEYS

MODEL_PREFIX = "combined/"
"""A model of this provider makes a stock OpenCode say "Model not found"."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What a stock OpenCode refuses in one configuration (``name`` as in ``ConfigFile``): by line number, the part of
    each line that it refuses.
    """

    name: str
    lines: tuple[tuple[int, str], ...]


def find(environment: Mapping[str, str], directory: Path) -> tuple[Lines, ...]:
    """Such lines in all readable files that a stock OpenCode reads when it is started in ``directory``."""
    shared = (file for file in files.read_all(environment, directory) if not file.own)
    read = ((file.name, foreign_lines(file.text)) for file in shared)
    return tuple(Lines(name=name, lines=lines) for name, lines in read if lines)


def foreign_lines(text: str) -> tuple[tuple[int, str], ...]:
    """Where a JSON text with comments has one of ``KEYS`` with its value, or a combined model: the line numbers, and
    the matching part of each line. ``...`` replaces other text between two matches on a line.
    """
    pieces: dict[int, list[str]] = {}
    for start, end in _outermost(_foreign_spans(text)):
        number = text.count("\n", 0, start) + 1
        before = text[text.rfind("\n", 0, start) + 1 : start]
        indent = before if before.isspace() else ""
        for offset, row in enumerate(f"{indent}{text[start:end]}".split("\n")):
            pieces.setdefault(number + offset, []).append(row.rstrip())
    return tuple((number, " ... ".join(rows)) for number, rows in sorted(pieces.items()))


def _foreign_spans(text: str) -> Iterator[tuple[int, int]]:
    whole = _is_whole(text)
    for entry in jsonc.entries(text):
        own = len(entry.path) == 1 and entry.path[0] in KEYS
        if (entry.string or "").startswith(MODEL_PREFIX):
            yield entry.start, entry.end
        elif own:
            # Where brackets are missing, the end of the value is unknown.
            yield entry.start, entry.end if whole else text.index('"', entry.start + 1) + 1


def _is_whole(text: str) -> bool:
    try:
        jsonc.loads(text)
    except ValueError:
        return False
    return True


def _outermost(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    reached = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end > reached:
            yield start, end
            reached = end
