"""A source's address, and git commands that talk to it with errors a user can act on."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from opencode_patcher.base import full_disk, git, process
from opencode_patcher.base.errors import (
    PatcherError,
    ProcessError,
    ProcessTimeoutError,
    SourceError,
)
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.text import without_credentials

DEMO_HINT = "To see the tool work without any source, run: opencode-patcher demo"

_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"pack-objects died|not our ref|bad object|unable to read [0-9a-f]{40}",
        "The source lacks some files of the release; it may be a partial copy itself.",
        "Name a complete repository with --source, or let this one leave out files:\n"
        "git -C PATH config uploadpack.allowFilter true",
    ),
    (
        r"could not resolve|failed to connect|couldn't connect|timed out|connection (?:refused|reset)"
        r"|unreachable|operation too slow|rpc failed|hung up unexpectedly|early eof|unable to access",
        "The source cannot be reached over the network.",
        "Check the network and the proxy (git follows HTTPS_PROXY), or name another source with --source.",
    ),
    (
        r"couldn't find remote ref",
        "The source does not have that tag.",
        "Check the tag, or name another source with --source.",
    ),
    (
        r"dubious ownership",
        "git refuses a repository that belongs to another user.",
        "Allow it with: git config --global --add safe.directory PATH",
    ),
    (
        r"could not read username|authentication failed|terminal prompts disabled|permission denied",
        "The source does not exist, or it asks for a login that git does not have.",
        "Check the address, or name another source with --source.",
    ),
    (
        r"does not appear to be a git repository|not a git repository|not found|does not exist|is this a git",
        "There is no git repository at that address.",
        "Check the address, or name another source with --source.",
    ),
)
"""What git says (C locale, matched without regard to case), what that means, and what helps."""


def address(source: str) -> str:
    """The address that git is given: a URL or scp-like address as it is, a path made absolute.

    Raises SourceError when ``source`` is neither an address nor an existing directory.
    """
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

    A trailing slash or ``.git`` makes no difference, as it makes none to git servers.
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
    """Run a git command that talks to ``source``. ``what`` says in one sentence what fails if it fails.

    Raises SourceError with the cause in words, or StoreError when the disk is full.
    """
    try:
        return git.run(*arguments, stdin=stdin, reporter=reporter, timeout=timeout)
    except ProcessError as error:
        raise explained(error, source=source, what=what) from error


def explained(error: ProcessError, *, source: str, what: str) -> PatcherError:
    """The error to show for a git command that failed while it talked to ``source``."""
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
    for pattern, meaning, help_ in _CAUSES:
        if re.search(pattern, said, re.IGNORECASE):
            return SourceError(
                what,
                why=f"{meaning}\nSource: {without_credentials(source)}\ngit: {_last(said)}",
                next_step=f"{help_}\n{DEMO_HINT}",
            )
    return SourceError(what, why=f"Source: {without_credentials(source)}\n{said}", next_step=DEMO_HINT)


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
