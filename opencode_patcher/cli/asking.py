"""Asking a patched OpenCode about the user, for the commands that do. Not a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opencode_patcher.cli import output

if TYPE_CHECKING:
    from opencode_patcher.base.errors import PatcherError
    from opencode_patcher.base.line import Line
    from opencode_patcher.configuration.report import Report
    from opencode_patcher.install.usable import Usable

NOBODY = "Only a patched OpenCode knows which models are combined for you, and there is none here."
MAKE_ONE = "opencode-patcher build, then opencode-patcher install"


def usable(binary: Path | None) -> Usable | None:
    """The named program, else the one that is installed, else the newest verified build; None if there is none of
    these.
    """
    from opencode_patcher.base import store as storage
    from opencode_patcher.install import state
    from opencode_patcher.install import usable as found
    from opencode_patcher.install.systems.current import current_system

    if binary is not None:
        return found.Usable(file=binary.absolute(), what=str(binary), line=line_of(binary))
    store = storage.existing()
    return found.find(store, current_system(state.meant(store, None))) if store else None


def line_of(binary: Path) -> Line:
    """The line of a program; the first for one that does not say which version it is."""
    from opencode_patcher.base import line as lines
    from opencode_patcher.base.errors import ProcessError
    from opencode_patcher.base.version import named_tag, version_of
    from opencode_patcher.install import program

    try:
        found = lines.of_version(version_of(named_tag(program.version(binary.absolute()))))
    except ProcessError:  # The error comes up again, with its reason, when the program is asked.
        found = None
    return found or lines.OPENCODE_1


def report(binary: Path | None, *, alone: bool = False) -> Report:
    """What the program sees in the current directory.

    Raises UsageError when there is no program to ask, ProcessError when it does not answer.
    """
    import os

    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.errors import UsageError
    from opencode_patcher.configuration import asked

    program = usable(binary)
    if program is None:
        raise UsageError(NOBODY, next_step=f"{MAKE_ONE}. For the whole catalogue: --all")
    return asked.report(program.file, os.environ, working_directory(), line=program.line, alone=alone)


def explain_silence(error: PatcherError | None) -> None:
    """Say why no OpenCode was asked, and what is shown instead."""
    if error is None:
        output.echo(f"{NOBODY} To make one: {MAKE_ONE}.")
    else:
        output.paragraph(f"{error.what}\n{error.why}\n{error.next_step}".strip())
    output.echo("Without it, only your configuration files are checked.")
