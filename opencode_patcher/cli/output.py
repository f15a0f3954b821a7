"""All output to the terminal: progress to standard error, results to standard output.

Everything is printed here, so that text from elsewhere (model names, paths, commit subjects, server messages) never
reaches the terminal unescaped: see ``base.text.shown``. Ruff refuses ``click.echo`` and ``print`` elsewhere.
"""

from __future__ import annotations

import io
import os
import select
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from opencode_patcher.base.errors import OutputClosed, OutputError, PatcherError
from opencode_patcher.base.progress import Phase
from opencode_patcher.base.text import json_shown, shown, shown_lines

if TYPE_CHECKING:
    from rich.status import Status


UNWRITABLE = "The output cannot be written."


class Painted(NamedTuple):
    """Part of a line, in colour. Made by ``paint``."""

    text: str
    colour: str
    bold: bool = False


Part = str | Painted


def coloured() -> bool:
    """Whether standard error may carry colours: a terminal, and NO_COLOR (no-color.org) is not set."""
    stream = sys.stderr
    return bool(stream and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")


def paint(text: str, colour: str, *, bold: bool = False) -> Painted:
    """``text`` in a colour, if colours are wanted. A part of what ``echo`` prints."""
    return Painted(text, colour, bold)


def echo(*parts: Part, err: bool = False) -> None:
    """Print one line, made of ``parts``. A line break in one of them is shown as ``\\n``.

    Raises OutputError when standard output is closed or cannot be written, OutputClosed when its reader is gone.
    """
    _write("".join(map(_line_part, parts)), err=err)


def block(*parts: Part, err: bool = False) -> None:
    """As ``echo``, for text that has several lines."""
    _write(_lines(parts), err=err)


def paragraph(*parts: Part, err: bool = False) -> None:
    """As ``block``, with all lines but the first indented, so that text from elsewhere cannot pass for ours."""
    _write(_lines(parts).replace("\n", "\n  "), err=err)


def show_json(value: Mapping[str, object], *, indent: int | None = 2) -> None:
    """One JSON object on standard output; without ``indent``, on one line."""
    _write(json_shown(value, indent=indent), err=False)


def warn(text: str) -> None:
    """Something that the user may want to act on, on standard error."""
    paragraph(paint("Warning:", "yellow", bold=True), f" {text}", err=True)


def warn_of(problems: Iterable[PatcherError]) -> None:
    """Warn of an error that did not stop the command, on standard error."""
    for problem in problems:
        warn(str(problem))


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with left-aligned columns; cells are wrapped to the terminal's width."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    with _output_errors(err=False) as stream:
        width = None if stream.isatty() else 160
        Console(file=stream, no_color=not coloured(), width=width, highlight=False).print(table)
        stream.flush()


def width() -> int | None:
    """The terminal's width in columns; None when standard output is not a terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def flush() -> None:
    """Flush standard output. Raises OutputError."""
    with _output_errors(err=False) as stream:
        stream.flush()


class ClosedOutput(io.StringIO):
    """Replaces a standard output that is closed: with a closed one, click would print nothing and report success."""

    def write(self, text: str, /) -> int:
        raise OutputError(UNWRITABLE, why="Standard output is closed.")


def is_read() -> bool:
    """Whether somebody still reads our output: poll(2) reports an error for a pipe without a reader."""
    if sys.platform == "win32":
        return False
    poll = select.poll()
    for number in (1, 2):
        poll.register(number, 0)
    return not any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))


def _line_part(part: Part) -> str:
    if isinstance(part, str):
        return shown(part)
    text = shown(part.text)
    return click.style(text, fg=part.colour, bold=part.bold or None) if coloured() else text


def _lines(parts: Iterable[Part]) -> str:
    return "".join(shown_lines(part) if isinstance(part, str) else _line_part(part) for part in parts)


def _write(text: str, *, err: bool) -> None:
    if err and sys.stderr is None:
        return  # nobody is left to read it
    with _output_errors(err=err) as stream:
        click.echo(text, file=stream)


@contextmanager
def _output_errors(*, err: bool) -> Iterator[TextIO]:
    stream = sys.stderr if err else sys.stdout
    try:
        yield stream
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputError(UNWRITABLE, why=f"{error.strerror or error}.") from error


class _RunningPhase:
    def __init__(self) -> None:
        self.text = ""

    def detail(self, text: str) -> None:
        self.text = text


class TerminalReporter:
    """Shows phases on standard error: on a terminal a spinner while one runs, and one line when it has ended."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._open: list[str] = []
        self._spinner: Status | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        running = _RunningPhase()
        started = time.monotonic()
        self._open.append(name)
        self._spin()
        try:
            yield running
        except BaseException:
            self._close(paint("failed", "red"), name, started)
            raise
        detail = f" ({running.text})" if running.text else ""
        self._close(paint("done", "green"), f"{name}{detail}", started)

    def note(self, text: str) -> None:
        if not self.quiet:
            self._print(text)

    def warn(self, text: str) -> None:
        self._print(paint("Warning:", "yellow", bold=True), " " + text.replace("\n", "\n  "))

    def output(self, line: str) -> None:
        self._print(f"  | {line}")

    def _close(self, mark: Painted, text: str, started: float) -> None:
        self._open.pop()
        if self._spinner:
            self._spinner.stop()
            self._spinner = None
        if not self.quiet:
            self._print(mark, f"  {text}  {time.monotonic() - started:.1f} s")
        self._spin()

    def _spin(self) -> None:
        if self.quiet or self.verbose or not self._open or not coloured():
            return
        from rich.console import Console
        from rich.text import Text

        text = Text(shown(" > ".join(self._open)))
        if self._spinner:
            self._spinner.update(text)
            return
        self._spinner = Console(stderr=True).status(text)
        self._spinner.start()

    def _print(self, *parts: Part) -> None:
        if not self._spinner:
            block(*parts, err=True)
            return
        from rich.text import Text

        line = Text()
        for part in parts:
            if isinstance(part, str):
                line.append(shown_lines(part))
            else:
                line.append(shown(part.text), style=f"{'bold ' if part.bold else ''}{part.colour}")
        self._spinner.console.print(line)


def reporter(*, as_json: bool, quiet: bool, verbose: bool) -> TerminalReporter:
    """The reporter that ``options.progress_options`` ask for. With ``--json`` only the result is shown."""
    return TerminalReporter(quiet=quiet or as_json, verbose=verbose and not as_json)
