"""What upstream's code gets to see while it is installed and built, and which of its settings count.

Building OpenCode runs OpenCode's build script, as the user. It sees none of the user's variables but those named here,
no home, and no settings beyond those of upstream's own official build.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from opencode_patcher.base import environment, files
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.toolchain import bun_home
from opencode_patcher.toolchain.npm_settings import read_settings
from opencode_patcher.upstream.worktree import Worktree

SYSTEM = frozenset(
    {
        *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SHELL"),
        # Windows' own, without which programs do not start there.
        *(
            "SYSTEMROOT",
            "SYSTEMDRIVE",
            "WINDIR",
            "COMSPEC",
            "PATHEXT",
            "PROCESSOR_ARCHITECTURE",
            "NUMBER_OF_PROCESSORS",
        ),
        *("PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMDATA"),
    }
)
"""Variables that any program may need. None of them holds a secret."""

REGISTRY = frozenset(
    {
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *bun_home.TUNING,
    }
)
"""What besides those says how to reach the registry: for ``bun install``, which runs no script."""

KNOWN = {
    "install.exact": "how versions are written",
    "install.minimumReleaseAge": "refuses packages that are only days old",
    "install.minimumReleaseAgeExcludes": "exceptions from it",
    "preload": "the compiler for the TUI's views, a dependency of the release: @opentui/solid/preload",
    "test": "for tests, which a build does not run",
}
"""The settings in upstream's ``bunfig.toml`` that its official build uses, each with what it is for."""

_PRELOADS = (["@opentui/solid/preload"],)


def for_scripts(scratch: Path) -> dict[str, str | None]:
    """The environment of what runs upstream's code. ``scratch`` becomes its home and its temporary directory."""
    temporary = scratch / "tmp"
    files.make_directory(temporary)
    own = {name: str(scratch) for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")}
    return {
        **environment.only(SYSTEM),
        **own,
        **{name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")},
        **{f"XDG_{kind}_HOME": str(scratch / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")},
    }


def for_registry(scratch: Path) -> dict[str, str | None]:
    """The environment of ``bun install``: with what the user has set to reach the registry, and a home in ``scratch``
    that holds what their settings say of it. Raises StoreError when that cannot be written.
    """
    temporary = scratch / "tmp"
    files.make_directory(temporary)
    return {
        **environment.only(SYSTEM | REGISTRY),
        **{name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")},
        **bun_home.hand_over(read_settings(), scratch),
    }


def require_known(tree: Worktree) -> None:
    """Raises ToolchainError when the release has settings of its own, beyond those of ``KNOWN``, that decide where
    packages come from or what else is run.
    """
    for directory in (tree.path, *(tree.path / package for package in tree.packages)):
        if files.exists(directory / ".npmrc"):
            raise _refused(directory / ".npmrc", "It would decide from where packages come.")
        for name, value in _settings(directory / "bunfig.toml"):
            known = name in KNOWN or name.partition(".")[0] == "test"
            if not known or (name == "preload" and value not in _PRELOADS):
                raise _refused(directory / "bunfig.toml", f"Its setting {name} is not one that is known: {value!r}.")


def _settings(path: Path) -> Iterator[tuple[str, object]]:
    try:
        settings = tomllib.loads(files.read_text(path))
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, f"It cannot be read: {error}.") from error
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", part) for inner, part in value.items())
        else:
            yield name, value


def _refused(path: Path, why: str) -> ToolchainError:
    return ToolchainError(
        f"The release has settings that its official build did not have: {path}",
        why=why,
        next_step="If they are upstream's, report it; if they come from a patch of yours, leave them out.",
    )
