"""A temporary home for OpenCode: its own HOME, configuration and projects, and no network.

Nothing of the user's is read or written: no configuration, no keys, no sessions.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from opencode_patcher.base import files, process
from opencode_patcher.drill.fakes.provider import ProviderSpec

NO_NETWORK = "http://127.0.0.1:9"
"""A proxy that refuses: port 9 (discard) has no listener. Only 127.0.0.1 is reached directly."""

_INHERITED = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "COMSPEC", "PATHEXT")
"""The variables of the caller's environment that a program needs. Others could be the user's keys or settings."""

WELCOME = "combined-welcome"
"""A patched OpenCode with this file in its state directory has been started before. It does not repeat what it says at
its first start (config/welcome.ts).
"""

PLUGIN_PACKAGE = "@opencode-ai/plugin"
"""OpenCode installs this package into each configuration directory in the background
(packages/opencode/src/config/config.ts), unless the directory's lock file already names it
(packages/core/src/npm.ts)."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """The directories of a home, all below ``root``, and the current project in it.

    ``password`` protects whatever listens in this home.
    """

    root: Path
    project: str = "work"
    password: str = field(default_factory=secrets.token_urlsafe, repr=False, compare=False)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def work(self) -> Path:
        """The project in which the agent works: a separate git repository."""
        return self.root / self.project

    @property
    def config(self) -> Path:
        return self.home / ".config" / "opencode"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    def at(self, project: str) -> Home:
        """The same home with another project."""
        return replace(self, project=project)


def environment(
    home: Home, inherited: Mapping[str, str] | None = None, *, password: bool = False
) -> dict[str, str | None]:
    """The whole environment of a drilled program; None removes a variable of the caller's.

    ``inherited`` is the caller's environment, by default this process's. ``password``: for a server, and for programs
    that connect to it (packages/opencode/src/server/auth.ts). ``opencode run`` on its own is not a server, and before
    v1.17.12 its own requests would fail with a password.

    The switches are read in upstream's packages/core/src/flag/flag.ts and packages/opencode/src/effect/.
    """
    inherited = os.environ if inherited is None else inherited
    callers = {name: value if name in _INHERITED else None for name, value in inherited.items()}
    user = str(home.home)
    return callers | {
        "HOME": user,
        "USERPROFILE": user,
        "XDG_CONFIG_HOME": str(home.home / ".config"),
        "XDG_DATA_HOME": str(home.home / ".local" / "share"),
        "XDG_STATE_HOME": str(home.home / ".local" / "state"),
        "XDG_CACHE_HOME": str(home.home / ".cache"),
        "TMPDIR": str(home.temporary),
        "TEMP": str(home.temporary),
        "TMP": str(home.temporary),
        "SHELL": "/bin/sh" if sys.platform != "win32" else inherited.get("COMSPEC", ""),
        "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "OPENCODE_SERVER_PASSWORD": home.password if password else None,
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_CLAUDE_CODE": "1",
        "OPENCODE_DISABLE_EXTERNAL_SKILLS": "1",
        "OPENCODE_DISABLE_SHARE": "1",
        "HTTP_PROXY": NO_NETWORK,
        "HTTPS_PROXY": NO_NETWORK,
        "http_proxy": NO_NETWORK,
        "https_proxy": NO_NETWORK,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "npm_config_offline": "true",
    }


def configuration(
    providers: Sequence[ProviderSpec],
    base_urls: Mapping[str, str],
    *,
    priority: bool,
    combined: Mapping[str, object] | None = None,
    tag: str = "",
) -> dict[str, object]:
    """The content of opencode.json. With ``priority`` it has the keys that a stock binary refuses: the order of the
    providers, and ``combined`` if it is not empty. ``tag`` is appended to each provider's id.
    """
    settings: dict[str, object] = {
        **harmless(),
        "provider": {
            f"{provider.id}{tag}": {
                "npm": provider.protocol.npm,
                "name": provider.id.capitalize(),
                "options": {"baseURL": base_urls[provider.id], "apiKey": provider.key},
                "models": {
                    provider.model: {
                        "name": provider.model.rpartition("/")[2],
                        "tool_call": True,
                        "reasoning": True,
                        "limit": {"context": provider.context, "output": provider.output},
                        "options": dict(provider.options),
                        "cost": {"input": provider.price.input, "output": provider.price.output},
                    }
                },
            }
            for provider in providers
        },
    }
    if priority:
        settings["provider_priority"] = [f"{provider.id}{tag}" for provider in providers]
        if combined:
            settings["combined"] = dict(combined)
    return settings


def harmless() -> dict[str, object]:
    """What every opencode.json of the drill has: no outside providers, no questions, nothing shared or updated."""
    return {
        "$schema": "https://opencode.ai/config.json",
        # The only provider that upstream offers without a key.
        "disabled_providers": ["opencode"],
        "permission": {"*": "allow"},
        "autoupdate": False,
        "share": "disabled",
    }


def configure(home: Home, settings: Mapping[str, object]) -> None:
    """Write opencode.json. Raises StoreError when the place cannot be written."""
    files.write_json(home.config / "opencode.json", settings)


def prepare(root: Path, settings: Mapping[str, object]) -> Home:
    """Make the directories of a home, write its configuration and make its project.

    Raises StoreError when the place cannot be written, ProcessError when git fails.
    """
    home = furnish(Home(root=root), settings)
    start_project(home)
    return home


def furnish(home: Home, settings: Mapping[str, object]) -> Home:
    """Make the directories of a home without a project, and write its configuration. Raises StoreError."""
    configure(home, settings)
    files.write_json(home.config / "package-lock.json", {"packages": {"": {"dependencies": {PLUGIN_PACKAGE: "*"}}}})
    for directory in (home.config / "node_modules", home.temporary):
        directory.mkdir(parents=True, exist_ok=True)
    files.write_text(home.home / ".local" / "state" / "opencode" / WELCOME, "")
    return home


def start_project(home: Home, settings: Mapping[str, object] | None = None) -> None:
    """Make the home's project: a git repository, with ``settings`` as its own opencode.json if given.

    Raises StoreError when the place cannot be written, ProcessError when git fails.
    """
    home.work.mkdir(parents=True, exist_ok=True)
    files.write_text(home.work / "README.md", "A project for the failover drill.\n")
    if settings:
        files.write_json(home.work / "opencode.json", settings)
    identity = ("-c", "user.name=drill", "-c", "user.email=drill@example.invalid")
    for arguments in (
        ("init", "--quiet"),
        ("add", "."),
        # OpenCode identifies a project by its first commit, so no two projects may share one.
        (*identity, "commit", "--quiet", "--message", f"Start {home.work}"),
    ):
        # Not through ``git.run``: the user's git configuration (hooks, signing) must not apply here.
        process.run(["git", *arguments], cwd=home.work, env=environment(home))
