"""Git, with a scrubbed environment, English messages and no questions asked."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.progress import Reporter

ENVIRONMENT = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
"""Error messages are matched in English, and a source that asks for a password is an error, not a prompt."""

SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never")
"""No program is run because a repository, or an address, says so."""


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    check: bool = True,
    stdin: str | None = None,
    reporter: Reporter | None = None,
    timeout: float | None = None,
) -> process.Completed:
    """Run one git command. Without ``cwd`` it does not see the repository that the user may be in, whose settings can
    name programs. Raises ProcessError as ``process.run`` does.
    """
    return process.run(
        ["git", *SAFE, *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        check=check,
        stdin=stdin,
        reporter=reporter,
        timeout=timeout,
    )
