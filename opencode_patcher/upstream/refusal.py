"""Explains why git could not reach a source, from its message and the user's settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from opencode_patcher.base.text import without_credentials

Topic = Literal["certificates", "network", "ssh", ""]
"""Which settings matter: those for certificates, proxies, ssh, or none."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What git's message means, what helps, and which settings matter."""

    pattern: str
    meaning: str
    help: str
    topic: Topic = ""


CAUSES: tuple[Cause, ...] = (
    Cause(
        pattern=r"pack-objects died|not our ref|bad object|unable to read [0-9a-f]{40}",
        meaning="The source lacks some files of the release; it may be a partial copy itself.",
        help=(
            "Name a complete repository with --source, or let this one leave out files:\n"
            "git -C PATH config uploadpack.allowFilter true"
        ),
    ),
    Cause(
        pattern=r"dumb http transport",
        meaning="The server only serves files (git's dumb HTTP); it cannot send a release without the whole history.",
        help="Clone it yourself and build from the clone:\ngit clone --mirror {address} opencode.git\n"
        "then add: --source opencode.git",
    ),
    Cause(
        pattern=r"certificate|\bSSL\b|\bTLS\b|CAfile",
        meaning="The server's certificate is not signed by an authority that git trusts here.",
        help=(
            "Give git the certificate of your network's authority, as a file in PEM format:\n"
            "git config --global http.sslCAInfo FILE (or GIT_SSL_CAINFO=FILE)"
        ),
        topic="certificates",
    ),
    Cause(
        pattern=r"host key verification failed",
        meaning="ssh does not know the server's key yet.",
        help="Connect once by hand, and compare the key with the one that the server's owner publishes:\n{try_ssh}",
        topic="ssh",
    ),
    Cause(
        pattern=r"permission denied \(|publickey|cannot run .*ssh|ssh: (?!connect|could not resolve)",
        meaning="git connects to the source over ssh. The server refuses your login, or ssh does not start.",
        help="Try it by hand: {try_ssh}\nOr name an address that needs no login: --source https://…",
        topic="ssh",
    ),
    Cause(
        pattern=r"ssh: (?:connect|could not resolve)",
        meaning="git connects to the source over ssh, and the server cannot be reached.",
        help="Try it by hand: {try_ssh}\nOr name another source with --source.",
        topic="ssh",
    ),
    Cause(
        pattern=r"could not resolve|failed to connect|couldn't connect|timed out|connection (?:refused|reset)"
        r"|unreachable|operation too slow|rpc failed|hung up unexpectedly|early eof|unable to access",
        meaning="The source cannot be reached over the network.",
        help="Check the network and the proxy (git follows HTTPS_PROXY), or name another source with --source.",
        topic="network",
    ),
    Cause(
        pattern=r"couldn't find remote ref",
        meaning="The source does not have that tag.",
        help="Check the tag, or name another source with --source.",
    ),
    Cause(
        pattern=r"dubious ownership",
        meaning="git does not read a repository that belongs to another user unless you allow it.",
        help="If you trust it, allow it: git config --global --add safe.directory {place}",
    ),
    Cause(
        pattern=r"could not read username|authentication failed|terminal prompts disabled|access denied|\b40[13]\b",
        meaning="The source does not exist, or it asks for a login that git does not have.",
        help="Check the address, or name another source with --source.",
        topic="network",
    ),
    Cause(
        pattern=r"does not appear to be a git repository|not a git repository|not found|does not exist|is this a git",
        meaning="There is no git repository at that address.",
        help="Check the address, or name another source with --source.",
    ),
    Cause(
        pattern=r"could not read from remote repository",
        meaning="git connects to the source over ssh, which failed.",
        help="Try it by hand: {try_ssh}",
        topic="ssh",
    ),
)
"""The first cause whose pattern is in git's message is used (C locale, case ignored)."""

_SETTINGS: Mapping[Topic, str] = {
    "certificates": r"^http\..*ssl",
    "network": r"^(http\..*proxy|remote\..*\.proxy)",
    "ssh": r"^(core\.sshcommand|ssh\.variant)",
}
"""Git's settings of each topic (git-config's manual), as an extended regular expression."""

_VARIABLES: Mapping[Topic, tuple[str, ...]] = {
    "certificates": ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_NO_VERIFY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    "network": ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"),
    "ssh": ("GIT_SSH_COMMAND", "GIT_SSH"),
}


def cause_of(said: str) -> Cause | None:
    """The cause according to git's message; None when it is unknown."""
    return next((cause for cause in CAUSES if re.search(cause.pattern, said, re.IGNORECASE)), None)


def settings_in_force(
    topic: Topic, source: str, asked: str, ask_git: Callable[..., str], environment: Mapping[str, str]
) -> Iterator[str]:
    """Lines that name the settings behind a failure, and where each was read.

    ``asked`` is the address that git turns ``source`` into; ``ask_git`` runs ``git config`` with arguments and returns
    its output.
    """
    if asked != source:
        yield f"git uses {without_credentials(asked)} instead:"
        yield from _configured(ask_git(r"^url\..*\.insteadof$"))
    if topic:
        yield from _configured(ask_git(_SETTINGS[topic]))
        for name in _VARIABLES[topic]:
            if value := environment.get(name):
                yield f"  {name}={without_credentials(value)} (environment)"


def _configured(printed: str) -> Iterator[str]:
    """The lines for the output of ``git config --show-origin -z --get-regexp``: origin, name and value of each."""
    parts: Sequence[str] = printed.split("\0")
    for origin, setting in zip(parts[::2], parts[1::2], strict=False):
        name, _, value = setting.partition("\n")
        yield f"  {without_credentials(name)}={without_credentials(value)} ({origin.removeprefix('file:')})"


def ssh_command(asked: str) -> str:
    """The command that shows whether ssh reaches the server of an address."""
    found = re.match(r"(?:ssh://)?(?P<user>[^@/]+@)?(?P<host>[^:/]+)(?::(?P<port>\d+)(?=/))?", asked)
    if found is None:
        return "ssh -T HOST"
    port = f"-p {found['port']} " if found["port"] else ""
    return f"ssh -T {port}{found['user'] or ''}{found['host']}"
