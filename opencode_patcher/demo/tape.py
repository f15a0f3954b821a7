"""What a program printed in a terminal, and what the screen showed: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One character of the screen and how it looks. Colours are ``#rrggbb`` or None for the terminal's own."""

    text: str = " "
    colour: str | None = None
    background: str | None = None
    bold: bool = False
    italic: bool = False
    underlined: bool = False


Row = tuple[Cell, ...]
Picture = tuple[Row, ...]


@dataclass(kw_only=True)
class Tape:
    """What was printed, and the screen after it, with the seconds since the start."""

    columns: int
    rows: int
    printed: list[tuple[float, bytes]] = field(default_factory=list)
    pictures: list[tuple[float, Picture]] = field(default_factory=list)
