"""Git, with a scrubbed environment, English messages and no questions asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from opencode_patcher.base import environment, process
from opencode_patcher.base.progress import Reporter

if TYPE_CHECKING:
    import git as gitpython

ENVIRONMENT = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
"""Error messages are matched in English, and a source that asks for a password is an error, not a prompt."""


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    check: bool = True,
    stdin: str | None = None,
    reporter: Reporter | None = None,
    timeout: float | None = None,
) -> process.Completed:
    """Run one git command. Raises ProcessError as ``process.run`` does."""
    return process.run(
        ["git", *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        check=check,
        stdin=stdin,
        reporter=reporter,
        timeout=timeout,
    )


def open_repository(path: Path) -> gitpython.Repo:
    """The repository at ``path`` (a work tree or a bare git directory), for reading objects through GitPython.

    GitPython hands this process's whole environment to git, so foreign git variables are removed from it first.
    """
    for name in [name for name in os.environ if environment.is_foreign_git_variable(name)]:
        del os.environ[name]
    import git as gitpython

    # GitPython takes a ``$`` in a path for a variable, unless told not to here, and given a Path there.
    class Git(gitpython.Git):
        def __init__(self, working_dir: str | os.PathLike[str] | None = None) -> None:
            super().__init__(working_dir and Path(working_dir))

    class Repo(gitpython.Repo):
        GitCommandWrapperType = Git

    return Repo(path, expand_vars=False)
