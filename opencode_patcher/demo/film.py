"""Turns a tape into files: an asciinema recording, and a picture that moves. Pure.

The picture is an SVG with nothing but CSS, so it also moves where scripts are not allowed, as in a README. There is one
element for each content of a row, shown for as long as the row had that content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar
from xml.sax.saxutils import escape

from opencode_patcher.demo.tape import Cell, Picture, Row, Tape

K = TypeVar("K")

LONGEST_PAUSE = 1.2
"""Seconds. A longer time without any change is cut to this."""

FRAME = 0.08
"""A picture is shown for at least this many seconds; one that was there for a shorter time is left out."""

LAST = 3.0
"""Seconds that the last picture stays."""

WIDTH, HEIGHT = 8.4, 18.0
"""Of one character, in the units of the picture."""

MARGIN, TITLE = 14.0, 34.0
BACKGROUND, FOREGROUND = "#0a0a0a", "#eeeeee"
BUTTONS = ((20, "#ff5f57"), (40, "#febc2e"), (60, "#28c840"))

BLOCKS = {
    "█": (0.0, 0.0, 1.0, 1.0),
    "▀": (0.0, 0.0, 1.0, 0.5),
    "▄": (0.0, 0.5, 1.0, 0.5),
    "┃": (0.4, 0.0, 0.24, 1.0),
    "╹": (0.4, 0.0, 0.24, 0.5),
}
"""Characters that are drawn, because fonts leave gaps between them: x, y, width and height in parts of a cell."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A row's content from ``start`` to ``end``, in seconds."""

    row: int
    cells: Row
    start: float
    end: float


def cast(tape: Tape, title: str) -> str:
    """An asciinema recording (version 2), with pauses cut."""
    head = {"version": 2, "width": tape.columns, "height": tape.rows, "title": title, "env": {"TERM": "xterm-256color"}}
    lines = [json.dumps(head, ensure_ascii=False)]
    rest = b""
    for at, data in zip(_shortened([at for at, _ in tape.printed]), (data for _, data in tape.printed), strict=True):
        text, rest = _decoded(rest + data)
        lines.append(json.dumps([round(at, 3), "o", text], ensure_ascii=False))
    return "\n".join(lines) + "\n"


def _decoded(data: bytes) -> tuple[str, bytes]:
    """The text so far, and the first bytes of a character whose other bytes have not come yet."""
    for cut in range(min(4, len(data) + 1)):
        end = len(data) - cut
        try:
            return data[:end].decode("utf-8"), data[end:]
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace"), b""


def svg(tape: Tape, title: str) -> str:
    """A picture that moves, over and over."""
    frames = list(_frames(tape.pictures))
    total = frames[-1][0] + LAST if frames else LAST
    shots = list(_shots(frames, total))
    spans = sorted({(shot.start, shot.end) for shot in shots if (shot.start, shot.end) != (0.0, total)})
    names = {span: f"t{number}" for number, span in enumerate(spans)}
    width = tape.columns * WIDTH + 2 * MARGIN
    height = tape.rows * HEIGHT + TITLE + MARGIN
    styles = "".join(
        f"@keyframes {name}{{{_steps(start / total, end / total)}}}.{name}{{animation-name:{name}}}"
        for (start, end), name in names.items()
    )
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" ',
            'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="14">',
            f"<title>{escape(title)}</title>",
            f"<style>text{{white-space:pre;fill:{FOREGROUND}}}rect{{shape-rendering:crispEdges}}",
            f".s{{visibility:hidden;animation-duration:{total:.2f}s;animation-timing-function:step-end;",
            "animation-iteration-count:infinite}",
            "@media(prefers-reduced-motion:reduce){.s{animation:none}.e{visibility:visible}}",
            f"{styles}</style>",
            f'<rect width="{width:g}" height="{height:g}" rx="9" fill="{BACKGROUND}"/>',
            *(f'<circle cx="{x}" cy="17" r="6" fill="{colour}"/>' for x, colour in BUTTONS),
            f'<text x="{width / 2:g}" y="22" text-anchor="middle" font-size="13" opacity=".7">{escape(title)}</text>',
            f'<g transform="translate({MARGIN:g} {TITLE:g})">',
            *(_drawn(shot, names.get((shot.start, shot.end)), last=shot.end == total) for shot in shots),
            "</g></svg>\n",
        ]
    )


def _steps(start: float, end: float) -> str:
    on, off = "{visibility:visible}", "{visibility:hidden}"
    begin = f"0%{on}" if start <= 0 else f"0%{off}{start * 100:.3f}%{on}"
    return f"{begin}100%{on}" if end >= 1 else f"{begin}{end * 100:.3f}%,100%{off}"


def _shortened(moments: Sequence[float]) -> list[float]:
    """The same moments without long pauses; the first one is 0."""
    made: list[float] = []
    for index, at in enumerate(moments):
        pause = min(at - moments[index - 1], LONGEST_PAUSE) if index else 0.0
        made.append((made[-1] if made else 0.0) + pause)
    return made


def _frames(pictures: Sequence[tuple[float, Picture]]) -> Iterator[tuple[float, Picture]]:
    """The pictures to show: those that stayed for a while and differ from the one before."""
    changed = [
        (at, picture) for index, (at, picture) in enumerate(pictures) if not index or picture != pictures[index - 1][1]
    ]
    # A program clears the screen before it draws: a picture that was there for only a moment is left out.
    stays = [
        (at, picture)
        for index, (at, picture) in enumerate(changed)
        if index + 1 == len(changed) or changed[index + 1][0] - at >= FRAME
    ]
    moments = _shortened([at for at, _ in stays])
    yield from zip(moments, (picture for _, picture in stays), strict=True)


def _shots(frames: Sequence[tuple[float, Picture]], total: float) -> Iterator[Shot]:
    if not frames:
        return
    for row in range(len(frames[0][1])):
        contents = [(at, picture[row]) for at, picture in frames]
        groups = [(cells, [at for at, _ in found]) for cells, found in groupby(contents, key=lambda item: item[1])]
        for index, (cells, moments) in enumerate(groups):
            end = groups[index + 1][1][0] if index + 1 < len(groups) else total
            if any(cell.text.strip() or cell.background for cell in cells):
                yield Shot(row=row, cells=cells, start=moments[0], end=end)


def _drawn(shot: Shot, name: str | None, *, last: bool) -> str:
    style = f' class="s {name}{" e" if last else ""}"' if name else ""
    content = "".join([*_grounds(shot.cells), *_texts(shot.cells)])
    return f'<g{style} transform="translate(0 {shot.row * HEIGHT:g})">{content}</g>'


def _grounds(cells: Row) -> Iterator[str]:
    for colour, start, found in _runs(cells, lambda cell: cell.background):
        if colour and colour != BACKGROUND:
            yield _box(start, len(found), (0.0, 0.0, 1.0, 1.0), colour)


def _box(column: int, columns: int, part: tuple[float, float, float, float], colour: str) -> str:
    x, y, width, height = part
    return (
        f'<rect x="{(column + x) * WIDTH:g}" y="{y * HEIGHT:g}" width="{columns * width * WIDTH:g}" '
        f'height="{height * HEIGHT:g}" fill="{colour}"/>'
    )


def _texts(cells: Row) -> Iterator[str]:
    def look(cell: Cell) -> tuple[str, str | None, bool, bool, bool] | None:
        block = cell.text if cell.text in BLOCKS else ""
        return (block, cell.colour, cell.bold, cell.italic, cell.underlined) if cell.text.strip() else None

    styles = [look(cell) for cell in cells]
    for index, style in enumerate(styles):
        # Neighbouring words of one style become one text, together with the blanks between them.
        if style is None and index and (before := styles[index - 1]) and not before[0]:
            styles[index] = before
    numbers = iter(range(len(cells)))
    for style, start, found in _runs(cells, lambda _: styles[next(numbers)]):
        if style is None:
            continue
        block, colour, bold, italic, underlined = style
        if block:
            narrow = BLOCKS[block][2] < 1
            boxes = [(start + number, 1) for number in range(len(found))] if narrow else [(start, len(found))]
            yield from (_box(column, columns, BLOCKS[block], colour or FOREGROUND) for column, columns in boxes)
            continue
        text = "".join(cell.text for cell in found).rstrip()
        more = "".join(
            [
                f' style="fill:{colour}"' if colour and colour != FOREGROUND else "",
                ' font-weight="bold"' if bold else "",
                ' font-style="italic"' if italic else "",
                ' text-decoration="underline"' if underlined else "",
            ]
        )
        # The length keeps the columns aligned, whatever the font.
        length = len(text) * WIDTH
        yield f'<text x="{start * WIDTH:g}" y="14" textLength="{length:g}"{more}>{escape(text)}</text>'


def _runs(cells: Row, key: Callable[[Cell], K]) -> Iterator[tuple[K, int, Row]]:
    """Runs of neighbouring cells with the same key: the key, the first column, and the cells."""
    start = 0
    for value, found in groupby(cells, key=key):
        run = tuple(found)
        yield value, start, run
        start += len(run)
