"""Whether a program starts."""

from __future__ import annotations

import os
from pathlib import Path

from opencode_patcher.base import process, scratch
from opencode_patcher.base.errors import InstallError, ProcessError
from opencode_patcher.base.version import printed

START_TIMEOUT_SECONDS = 60.0
"""The first start of a large new file can be slow: virus scanners and macOS check it."""


def version(file: Path) -> str:
    """The version that ``file --version`` prints. Raises ProcessError when it does not start, fails or does not end.

    Even for this the program creates its directories, so it gets temporary ones, and none of the user's settings.
    """
    with scratch.directory("version") as place:
        environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith("OPENCODE_")}
        environment |= {f"XDG_{kind}_HOME": f"{place}/{kind.lower()}" for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
        done = process.run([file, "--version"], cwd=place, env=environment, timeout=START_TIMEOUT_SECONDS)
    return printed(done.stdout)


def check_starts(file: Path, expected: str, target: str) -> None:
    """Raises InstallError unless ``file`` starts and says it is version ``expected``. ``target`` is for the message."""
    unchanged = "What was installed before is still in place."
    try:
        found = version(file)
    except ProcessError as error:
        raise InstallError(
            f"The new program does not start (it was built for {target}).",
            why=f"{error.what}\n{error.why}".strip(),
            next_step=unchanged,
        ) from error
    if found != expected:
        raise InstallError(
            f"The new program says it is version {found or '(nothing)'}, not {expected}.",
            why=f"This is the output of {file} --version.",
            next_step=unchanged,
        )
