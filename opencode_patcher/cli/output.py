"""Printing: progress to standard error, results to standard output, colours only where they are wanted."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import PatcherError
from opencode_patcher.base.progress import Phase

if TYPE_CHECKING:
    from rich.status import Status


def coloured() -> bool:
    """Whether standard error may carry colours: a terminal, and NO_COLOR (no-color.org) is not set."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, bold: bool = False) -> str:
    """``text`` in a colour if colours are wanted."""
    return click.style(text, fg=colour, bold=bold or None) if coloured() else text


def printable(text: str) -> str:
    """``text`` of somebody else without control characters, which a terminal would obey, and on one line."""
    from unicodedata import category

    hidden = ("Cc", "Cs", "Zl", "Zp")
    return "".join(char if category(char) not in hidden else " " if char.isspace() else "" for char in text)


def show_json(value: Mapping[str, object]) -> None:
    """One JSON object on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def warn_of(problems: Iterable[PatcherError]) -> None:
    """What went wrong without being in the way, on standard error."""
    for problem in problems:
        click.echo(f"{paint('Warning:', 'yellow', bold=True)} {problem}", err=True)


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with left-aligned columns; cells are wrapped to the terminal's width."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else 160
    Console(no_color=not coloured(), width=width, highlight=False).print(table)


class _RunningPhase:
    def __init__(self) -> None:
        self.text = ""

    def detail(self, text: str) -> None:
        self.text = text


class TerminalReporter:
    """Shows phases on standard error: a spinner while one runs on a terminal, and one line when it has ended."""

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
            self._close(f"{paint('failed', 'red')}  {name}", started)
            raise
        detail = f" ({running.text})" if running.text else ""
        self._close(f"{paint('done', 'green')}  {name}{detail}", started)

    def note(self, text: str) -> None:
        if not self.quiet:
            self._print(text)

    def warn(self, text: str) -> None:
        self._print(f"{paint('Warning:', 'yellow', bold=True)} {text}")

    def output(self, line: str) -> None:
        self._print(f"  | {line}")

    def _close(self, line: str, started: float) -> None:
        self._open.pop()
        if self._spinner:
            self._spinner.stop()
            self._spinner = None
        if not self.quiet:
            self._print(f"{line}  {time.monotonic() - started:.1f} s")
        self._spin()

    def _spin(self) -> None:
        if self.quiet or self.verbose or not self._open or not coloured():
            return
        text = " > ".join(self._open)
        if self._spinner:
            self._spinner.update(text)
            return
        from rich.console import Console

        self._spinner = Console(stderr=True).status(text)
        self._spinner.start()

    def _print(self, text: str) -> None:
        if self._spinner:
            self._spinner.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)


def reporter(*, as_json: bool, quiet: bool, verbose: bool) -> TerminalReporter:
    """What ``options.progress_options`` asks for. With ``--json`` nothing but the result is shown."""
    return TerminalReporter(quiet=quiet or as_json, verbose=verbose and not as_json)
