"""How a long step reports its progress. Code takes a ``Reporter``; only the command line has one that prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Phase(Protocol):
    """A running phase. ``detail`` is shown behind the phase's name when it ends."""

    def detail(self, text: str) -> None: ...


class Reporter(Protocol):
    """Receives progress. No method may raise."""

    @property
    def verbose(self) -> bool:
        """Whether the output of programs is wanted as it comes."""
        ...

    def phase(self, name: str) -> AbstractPhase: ...

    def note(self, text: str) -> None:
        """Something worth knowing that needs no action."""
        ...

    def warn(self, text: str) -> None:
        """Something that the user may want to act on."""
        ...

    def output(self, line: str) -> None:
        """One line printed by a program, without its newline. Called only when ``verbose``."""
        ...


AbstractPhase = AbstractContextManager[Phase]
"""The context manager that ``Reporter.phase`` returns."""


class _SilentPhase:
    def detail(self, text: str) -> None:
        """Dropped."""


class SilentReporter:
    """A reporter that shows nothing; the default for library use and tests."""

    verbose = False

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:  # noqa: ARG002
        yield _SilentPhase()

    def note(self, text: str) -> None:
        """Dropped."""

    def warn(self, text: str) -> None:
        """Dropped."""

    def output(self, line: str) -> None:
        """Dropped."""
