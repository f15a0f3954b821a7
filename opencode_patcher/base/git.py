"""Git, with a scrubbed environment, English messages and no questions asked.

A repository is always named (``--git-dir``, ``in_tree``) and never discovered: git refuses to discover a bare
repository where ``safe.bareRepository=explicit`` is set, and one that belongs to another user. Named repositories are
not affected.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.base import files, process
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.progress import Reporter

ENVIRONMENT = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
"""Error messages are matched in English, and a source that asks for a password is an error, not a prompt."""

SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never")
"""Neither a repository nor an address may make git run a program."""

_SETTINGS = ("-c", "protocol.version=2")
"""An older protocol cannot fetch files by name from a server with git's defaults."""


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    check: bool = True,
    stdin: str | None = None,
    reporter: Reporter | None = None,
    timeout: float | None = None,
) -> process.Completed:
    """Run one git command. Without ``cwd`` it does not see a repository that the user happens to be in, whose settings
    could name programs to run. Raises ProcessError as ``process.run`` does.
    """
    return process.run(
        ["git", *SAFE, *_SETTINGS, *arguments],
        cwd=cwd,
        env={**ENVIRONMENT, **_given(os.environ)},
        check=check,
        stdin=stdin,
        reporter=reporter,
        timeout=timeout,
    )


_WAYS = re.compile(
    r"(url|http|https|credential|ssh|protocol|safe|remote|trace2?)\..*|core\.(sshcommand|askpass|gitproxy)"
)
"""Settings that say how a server is reached and who is trusted."""


def _given(variables: Mapping[str, str]) -> dict[str, str | None]:
    """The git settings in the user's environment that match ``_WAYS``. Others are dropped: settings from the
    environment take precedence over a repository's own, so they could change what is checked out.
    """
    count = variables.get("GIT_CONFIG_COUNT", "")
    numbers = range(int(count) if re.fullmatch(r"[0-9]{1,4}", count) else 0)
    given = [(variables.get(f"GIT_CONFIG_KEY_{number}", ""), number) for number in numbers]
    kept = [
        (name, variables.get(f"GIT_CONFIG_VALUE_{number}", ""))
        for name, number in given
        if _WAYS.fullmatch(name.lower())
    ]
    found: dict[str, str | None] = {"GIT_CONFIG_COUNT": str(len(kept))}
    for number, (name, value) in enumerate(kept):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def in_tree(
    tree: Path, *arguments: str | Path, stdin: str | None = None, reporter: Reporter | None = None
) -> process.Completed:
    """Run one git command in the work tree whose top is ``tree``. Raises StoreError and ProcessError."""
    named = (f"--git-dir={directory(tree)}", f"--work-tree={tree.absolute()}")
    return run(*named, *arguments, cwd=tree, stdin=stdin, reporter=reporter)


def directory(tree: Path) -> Path:
    """The git directory of the work tree whose top is ``tree``: its ``.git``, or what the file of that name says
    (gitrepository-layout). Raises StoreError when ``tree`` is not the top of a work tree.
    """
    place = tree.absolute() / ".git"
    if place.is_dir():
        return place
    try:
        link = files.read_text(place)
    except OSError as error:
        raise StoreError(f"{tree} is not a git work tree.", why=f"{place}: {error.strerror}.") from error
    found = tree.absolute() / link.removeprefix("gitdir:").strip()
    if not found.is_dir():
        raise StoreError(f"{tree} is not a git work tree.", why=f"Its git directory {found} does not exist.")
    return found
