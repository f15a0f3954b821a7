"""Asking a patched OpenCode about the user, for the commands that do. Not a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opencode_patcher.cli import output

if TYPE_CHECKING:
    from opencode_patcher.base.errors import PatcherError
    from opencode_patcher.configuration.report import Report
    from opencode_patcher.install.usable import Usable

NOBODY = "Only a patched OpenCode knows which models are combined for you, and there is none here."
WHERE_TO_LOOK = "What it combines is in its list of models, and in GET /api/model."
MAKE_ONE = "opencode-patcher build, then opencode-patcher install"


def usable(binary: Path | None) -> Usable | None:
    """The named program, else the one that is installed, else the newest verified build; None without any.

    Raises UsageError when the named one is an OpenCode that cannot be asked.
    """
    from opencode_patcher.base import store as storage
    from opencode_patcher.install import usable as found
    from opencode_patcher.install.systems.current import current_system

    if binary is not None:
        require_askable(binary)
        return found.Usable(file=binary.absolute(), what=str(binary))
    store = storage.existing()
    return found.find(store, current_system()) if store else None


def require_askable(binary: Path) -> None:
    """Raises UsageError for an OpenCode of another line than the first, which would misunderstand the question."""
    from opencode_patcher.base import line as lines
    from opencode_patcher.base.errors import ProcessError, UsageError
    from opencode_patcher.base.version import named_tag, version_of
    from opencode_patcher.install import program

    try:
        line = lines.of_version(version_of(named_tag(program.version(binary.absolute()))))
    except ProcessError:
        return  # The question itself tells why.
    if line not in (None, lines.OPENCODE_1):
        raise UsageError(
            f"{binary} is {line.name}, which cannot be asked which models are combined.",
            why=WHERE_TO_LOOK,
            next_step="Leave out --binary, or name an OpenCode 1.",
        )


def report(binary: Path | None, *, alone: bool = False) -> Report:
    """What it sees in the current directory.

    Raises UsageError when there is none, ProcessError when it does not answer.
    """
    import os

    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.errors import UsageError
    from opencode_patcher.configuration import asked

    program = usable(binary)
    if program is None:
        raise UsageError(NOBODY, next_step=f"{MAKE_ONE}. For the whole catalogue: --all")
    return asked.report(program.file, os.environ, working_directory(), alone=alone)


def explain_silence(error: PatcherError | None) -> None:
    """Say why no OpenCode was asked, and what is shown instead."""
    if error is None:
        from opencode_patcher.base import store as storage
        from opencode_patcher.install import usable as found

        store = storage.existing()
        other = found.unasked(store) if store else None
        if other:
            output.paragraph(f"{other.name} cannot be asked which models are combined. {WHERE_TO_LOOK}")
        else:
            output.echo(f"{NOBODY} To make one: {MAKE_ONE}.")
    else:
        output.paragraph(f"{error.what}\n{error.why}\n{error.next_step}".strip())
    output.echo("Without it, only your configuration files are checked.")
