"""A program in a pseudo terminal: what it prints and when, and what the screen shows then.

``pyte`` draws the screen, in this process: no terminal multiplexer is needed. It is an optional dependency
(``opencode-patcher[record]``).
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from opencode_patcher.base.errors import DrillError, UsageError
from opencode_patcher.demo.tape import Cell, Picture, Tape

if TYPE_CHECKING:
    from pyte import Screen, Stream

_STRINGS = re.compile(rb"\x1b[\]PX^_].*?(?:\x07|\x1b\\)", re.DOTALL)
"""Titles, colours of the terminal, and questions about its features: they do not change the screen."""

_PRIVATE = re.compile(rb"\x1b\[[<=>][0-9;:]*[ -/]*[@-~]|\x1b\[\?[0-9;]*\$p|\x1b\[[0-9;]*[ -/]+[@-~]")
"""Sequences that pyte would show as text: the kitty keyboard, questions about modes, the cursor's shape."""

_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;:<=>?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?)?$|[\xc0-\xff][\x80-\xbf]{0,2}$")

_ASKS_FOR_CURSOR = b"\x1b[6n"
_ASKS_WHO = b"\x1b[c"


class Terminal:
    """Runs ``command`` until it is closed. The thread that waits for output also reads it."""

    def __init__(
        self, command: Sequence[str], directory: Path, environment: Mapping[str, str], *, columns: int, rows: int
    ) -> None:
        try:
            import pyte
        except ImportError as error:
            raise UsageError(
                "A recording needs the package pyte.", next_step="pip install 'opencode-patcher[record]'"
            ) from error
        self.tape = Tape(columns=columns, rows=rows)
        self._screen: Screen = pyte.Screen(columns, rows)
        self._stream: Stream = pyte.Stream(self._screen)
        self._rest = b""
        self._started = time.monotonic()
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._program = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(self._screen.display)

    def type(self, text: str, *, pause: float) -> None:
        """Type a text, a character at a time."""
        for char in text:
            os.write(self._main, char.encode())
            self.watch(pause)

    def press(self, keys: bytes) -> None:
        os.write(self._main, keys)

    def watch(self, seconds: float) -> None:
        """Record for this long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def until(self, shows: Callable[[str], bool], *, seconds: float, what: str) -> None:
        """Record until ``shows`` says yes to the text of the screen. Raises DrillError when that takes longer than
        ``seconds``.
        """
        end = time.monotonic() + seconds
        while not shows(self.text):
            left = end - time.monotonic()
            if left <= 0 or not self._read(min(left, 0.1)):
                raise DrillError(
                    f"The screen did not show {what} within {seconds:g} s.", why=self.text.rstrip() or "It is empty."
                )

    def close(self) -> None:
        """End the program and what it started."""
        if self._program.poll() is None:
            os.killpg(self._program.pid, signal.SIGKILL)
        self._program.wait()
        os.close(self._main)

    def _read(self, seconds: float) -> bool:
        """Read what comes within ``seconds``; False when the program has ended."""
        ready, _, _ = select.select([self._main], [], [], seconds)
        if not ready:
            return self._program.poll() is None
        try:
            data = os.read(self._main, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            return False
        if not data:
            return False
        at = time.monotonic() - self._started
        self.tape.printed.append((at, data))
        self._draw(data)
        self._answer(data)
        self.tape.pictures.append((at, self._picture()))
        return True

    def _answer(self, data: bytes) -> None:
        """Answer the program's questions as a terminal does. A program would wait for the answers."""
        if _ASKS_FOR_CURSOR in data:
            cursor = self._screen.cursor
            self.press(f"\x1b[{cursor.y + 1};{cursor.x + 1}R".encode())
        if _ASKS_WHO in data:
            self.press(b"\x1b[?62;22c")

    def _draw(self, data: bytes) -> None:
        whole = self._rest + data
        cut = _UNFINISHED.search(whole)
        self._rest = whole[cut.start() :] if cut else b""
        plain = whole[: cut.start()] if cut else whole
        self._stream.feed(_PRIVATE.sub(b"", _STRINGS.sub(b"", plain)).decode("utf-8", "replace"))

    def _picture(self) -> Picture:
        return tuple(
            tuple(_cell(self._screen.buffer[row][column]) for column in range(self.tape.columns))
            for row in range(self.tape.rows)
        )


_NAMED = {
    "black": "#1d1f21",
    "red": "#cc6666",
    "green": "#b5bd68",
    "brown": "#f0c674",
    "blue": "#81a2be",
    "magenta": "#b294bb",
    "cyan": "#8abeb7",
    "white": "#c5c8c6",
}


def _cell(char: object) -> Cell:
    """A cell of pyte's, which gives a colour as one of eight words or as six hexadecimal digits."""
    colour, background = (_colour(str(getattr(char, name))) for name in ("fg", "bg"))
    if getattr(char, "reverse", False):
        colour, background = background or "#101010", colour or "#e0e0e0"
    return Cell(
        text=str(getattr(char, "data", " ")),
        colour=colour,
        background=background,
        bold=bool(getattr(char, "bold", False)),
        italic=bool(getattr(char, "italics", False)),
        underlined=bool(getattr(char, "underscore", False)),
    )


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    plain = name.removeprefix("bright")
    return _NAMED.get(plain) or (f"#{name}" if re.fullmatch(r"[0-9a-fA-F]{6}", name) else None)
