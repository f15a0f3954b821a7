"""The root of all expected errors, with an exit code for each kind.

A message has up to three parts: what failed, why, and the next command to run. The boundary in
``opencode_patcher.__main__`` prints them; nothing else turns an error into text.
"""

from __future__ import annotations


class PatcherError(Exception):
    """An expected failure.

    ``what`` is one sentence in the user's terms; ``why`` gives the cause and may have several lines;
    ``next_step`` is the command or action that helps.
    """

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step

    @property
    def help(self) -> str:
        """``next_step``, and the notes (``add_note``) that callers added to the error."""
        return "\n".join(part for part in (self.next_step, *getattr(self, "__notes__", ())) if part)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.help) if part)


class UsageError(PatcherError):
    """The command line, a configuration file or another input is wrong."""

    exit_code = 2


class SourceError(PatcherError):
    """OpenCode's source cannot be fetched, or is not what was expected."""

    exit_code = 3


class PatchError(PatcherError):
    """A patch or template is malformed, or does not fit the release."""

    exit_code = 4


class ToolchainError(PatcherError):
    """bun or a dependency cannot be fetched or installed."""

    exit_code = 5


class BuildError(PatcherError):
    """OpenCode's own build failed, or its result cannot be written."""

    exit_code = 6


class DrillError(PatcherError):
    """A binary failed the drill, or could not be started."""

    exit_code = 7


class InstallError(PatcherError):
    """A program could not be installed."""

    exit_code = 8


class StoreError(PatcherError):
    """The store cannot be read, written or locked."""

    exit_code = 9


class CatalogueError(PatcherError):
    """A models catalogue is unreadable or malformed."""

    exit_code = 10


class ProcessError(PatcherError):
    """A program could not be started, failed, or ran out of time.

    ``output`` is the end of what the program printed.
    """

    exit_code = 11

    def __init__(
        self, what: str, *, why: str = "", next_step: str = "", output: str = "", code: int | None = None
    ) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.output = output
        self.code = code


class ProcessTimeoutError(ProcessError):
    """A program ran out of time and was ended."""


class ReleaseError(PatcherError):
    """A release cannot be written, or does not match what it says."""

    exit_code = 12


class OutputError(PatcherError):
    """What a command prints cannot be written: standard output is closed, or a disk is full."""

    exit_code = 74
    """EX_IOERR of sysexits.h."""


OUTPUT_CLOSED = 141
"""What a shell reports for a program ended by SIGPIPE: 128 + 13."""


class OutputClosed(Exception):  # noqa: N818 (not an error: nobody is left to tell)
    """The reader of a command's output is gone: ``head``, a pager, a closed terminal."""


INTERRUPTED = 130
"""What a shell reports of a program that SIGINT ended: 128 + 2."""

UNEXPECTED = 70
"""EX_SOFTWARE of sysexits.h."""
