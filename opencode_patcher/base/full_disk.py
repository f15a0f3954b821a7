"""Tells from an error of the system or a program whether a disk was full."""

from __future__ import annotations

import errno
import re

from opencode_patcher.base.errors import ProcessError, StoreError
from opencode_patcher.base.text import without_credentials

NEXT_STEP = "Free some space, where temporary files go too, and run the same command again."

_SAID = re.compile(r"No space left on device|\bOut of diskspace\b|\bENOSPC\b|Disk quota exceeded|\bEDQUOT\b")
"""What the operating system's errors ENOSPC and EDQUOT look like in the output of git, bun and others. git says "out of
diskspace" when it writes its index (csum-file.c)."""

_UNSAID = re.compile(r"^error: unable to write file ", re.MULTILINE)
"""git's message when it has opened a file of a work tree but cannot write it; it does not say why (entry.c)."""


def caused(error: BaseException) -> StoreError | None:
    """The error to show for a full disk that no other code handled; None for any other error."""
    if isinstance(error, ProcessError):
        return explained(error, error.what)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        what = f"{error.filename or 'A file'} cannot be written."
        return StoreError(what, why=f"{error.strerror}.", next_step=NEXT_STEP)
    return None


def explained(error: ProcessError, what: str) -> StoreError | None:
    """The error to show instead, with ``what`` as its first sentence; None when the disk was not the cause."""
    if _SAID.search(error.output):
        cause = "The disk is full."
    elif _UNSAID.search(error.output):
        cause = "git could not write, most likely because the disk is full."
    else:
        return None
    return StoreError(what, why=f"{cause}\n{without_credentials(error.why)}", next_step=NEXT_STEP)
