"""A source's address, and git commands that use it, with errors a user can act on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path

from opencode_patcher.base import files, full_disk, git, process
from opencode_patcher.base.errors import (
    PatcherError,
    ProcessError,
    ProcessTimeoutError,
    SourceError,
    StoreError,
)
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import HOME_VARIABLE, Store
from opencode_patcher.base.text import without_credentials
from opencode_patcher.upstream import refusal

DEMO_HINT = "To see the tool work without any source, run: opencode-patcher demo"

_HELPER = re.compile(r"[A-Za-z0-9]+::")
"""The start of an address that makes git run a program (``ext::``, ``fd::``), which may wait forever."""


def address(source: str) -> str:
    """The address to give to git: URLs and scp-like addresses as they are, paths made absolute.

    Raises SourceError when ``source`` is neither an address nor an existing directory.
    """
    if _HELPER.match(source):
        raise SourceError(
            f"The source {source} cannot be used.",
            why="It names a program that git would run, not a repository.",
            next_step=f"Name a URL or a path with --source. {DEMO_HINT}",
        )
    if is_url(source):
        return source
    path = Path(source).expanduser().absolute()
    if not path.is_dir():
        raise SourceError(
            f"The source {source} cannot be used.",
            why=f"It is not a URL, and there is no directory {path}.",
            next_step=f"Name a git repository with --source. {DEMO_HINT}",
        )
    return str(path.resolve())


def is_url(source: str) -> bool:
    """Whether git would take ``source`` for a URL or an scp-like ``host:path``, not for a local path."""
    if "://" in source:
        return True
    return re.match(r"[^/\\]{2,}:", source) is not None and not Path(source).exists()


def slug(source: str) -> str:
    """A directory name for a source: readable, free of credentials, and different for different sources.

    A trailing slash or ``.git`` makes no difference, as on git servers.
    """
    plain = re.sub(r"(\.git)?/*$", "", without_credentials(address(source)))
    readable = re.sub(r"[^a-z0-9]+", "-", re.sub(r"^\w+://", "", plain).lower()).strip("-")
    return f"{readable[-40:].strip('-')}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"


def path_of(store: Store, source: str) -> Path:
    """Where the store keeps a source's repository. Raises SourceError when it is neither an address nor a path."""
    return store.sources / slug(source)


def run(
    *arguments: str | Path,
    source: str,
    what: str,
    stdin: str | None = None,
    reporter: Reporter | None = None,
    timeout: float | None = None,
) -> process.Completed:
    """Run a git command that talks to ``source``. ``what`` is the error's first sentence if it fails.

    Raises SourceError with the cause in words, or StoreError when the disk is full.
    """
    try:
        return git.run(*arguments, stdin=stdin, reporter=reporter, timeout=timeout)
    except ProcessError as error:
        raise explained(error, source=source, what=what) from error


def explained(error: ProcessError, *, source: str, what: str) -> PatcherError:
    """The error for a git command that failed while using ``source``."""
    said = without_credentials(error.output or error.why).strip()
    if isinstance(error, ProcessTimeoutError):
        return SourceError(
            what, why=f"The source did not answer in time.\nSource: {without_credentials(source)}", next_step=DEMO_HINT
        )
    if error.code is None and not error.output:
        return SourceError(
            what,
            why=f"git could not be run: {said}",
            next_step=f"Install git {MINIMUM_GIT_TEXT} or newer, or try again.",
        )
    if full := full_disk.explained(error, what):
        return full
    shown = without_credentials(source)
    if unwritable := _UNWRITABLE.search(said):
        return _not_ours(what, Path(unwritable["path"]), said)
    cause = refusal.cause_of(said)
    if cause is None:
        why = f"Source: {shown}\n{said}"
        return SourceError(what, why=why, next_step=f"Try it by hand: git ls-remote {shown}\n{DEMO_HINT}")
    asked = _asked(source)
    settings = refusal.settings_in_force(cause.topic, source, asked, _configured, os.environ)
    help_ = cause.help.format(address=shown, try_ssh=refusal.ssh_command(asked), place=_place(said) or shown)
    return SourceError(
        what,
        why="\n".join([cause.meaning, f"Source: {shown}", *settings, f"git: {_last(said)}"]),
        next_step=f"{help_}\n{DEMO_HINT}",
    )


_UNWRITABLE = re.compile(
    r"(?:cannot open|unable to create|could not lock config file|for adding an object to repository database) "
    r"'?(?P<path>[^':\n]+)'?(?:: Permission denied)?$",
    re.MULTILINE,
)
"""What git says about one of its own files that it may not write."""


def _not_ours(what: str, path: Path, said: str) -> StoreError:
    owner = files.owner_of(path)
    return StoreError(
        what,
        why=f"git may not write {path}" + (f", which belongs to {owner}." if owner else ".") + f"\ngit: {_last(said)}",
        next_step=f"Make yourself its owner (chown -R), or name another directory in {HOME_VARIABLE}.",
    )


def _asked(source: str) -> str:
    """The address that git turns ``source`` into because of the user's ``url.*.insteadOf``."""
    with contextlib.suppress(ProcessError):
        return git.run("ls-remote", "--get-url", "--", source).stdout.strip() or source
    return source


def _configured(pattern: str) -> str:
    with contextlib.suppress(ProcessError):
        return git.run("config", "--show-origin", "-z", "--get-regexp", pattern, check=False).stdout
    return ""


def _place(said: str) -> str:
    """The repository that git complains about."""
    found = re.search(r"repository at '([^'\n]+)'", said)
    return found[1] if found else ""


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
    return lines[0] if lines else said.splitlines()[-1] if said else "no message"


MINIMUM_GIT = (2, 29)
"""First version whose ``git fetch`` has ``--stdin``; partial clones and sparse trees are older."""
MINIMUM_GIT_TEXT = ".".join(map(str, MINIMUM_GIT))


def require_git() -> None:
    """Raises SourceError when git is missing or too old."""
    try:
        text = git.run("--version").stdout
    except ProcessError as error:
        raise unusable_git(error.why) from error
    found = re.search(r"(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) < MINIMUM_GIT:
        raise unusable_git(f"This is {text.strip()}; partial fetches need {MINIMUM_GIT_TEXT}.")


def unusable_git(why: str) -> SourceError:
    """The error for a git that is missing or too old."""
    return SourceError("git cannot be used.", why=why, next_step=f"Install git {MINIMUM_GIT_TEXT} or newer.")
