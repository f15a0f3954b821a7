"""Which patched OpenCode can be asked about the user's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base.files import is_file
from opencode_patcher.base.line import OPENCODE_1, Line, of_version
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import version_of
from opencode_patcher.install import activate, builds
from opencode_patcher.install.systems.protocol import System


@dataclass(frozen=True, kw_only=True)
class Usable:
    """A patched program, and what it is for people: "the installed OpenCode 1.18.15"."""

    file: Path
    what: str


def find(store: Store, system: System) -> Usable | None:
    """The installed build, else the newest verified one in the store; None without any.

    Only OpenCode 1 has the command that is asked. Raises StoreError or InstallError when what is there cannot be read.
    """
    installed = activate.look(store, system).active
    if installed and of_version(version_of(installed.tag)) is OPENCODE_1 and is_file(installed.file):
        return Usable(file=installed.file, what=f"the installed OpenCode {installed.version}")
    known = (build for build in builds.list_builds(store) if OPENCODE_1.has(build.release.version))
    found = next((build for build in known if build.verified and is_file(build.binary)), None)
    return (
        Usable(file=found.binary, what=f"the build {found.directory.name}, which is not installed") if found else None
    )


def unasked(store: Store) -> Line | None:
    """A line that has verified builds in the store, but no command that can be asked. Raises StoreError."""
    lines = (of_version(build.release.version) for build in builds.list_builds(store) if build.verified)
    return next((line for line in lines if line not in (None, OPENCODE_1)), None)
