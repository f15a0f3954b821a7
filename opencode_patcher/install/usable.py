"""Which patched OpenCode can be asked about the user's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base.files import is_file
from opencode_patcher.base.line import LINES, OPENCODE_1, Line, of_version
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import version_of
from opencode_patcher.install import activate, builds
from opencode_patcher.install.systems.protocol import System


@dataclass(frozen=True, kw_only=True)
class Usable:
    """A patched program, its line, and what it is for people: "the installed OpenCode 1.18.15"."""

    file: Path
    what: str
    line: Line = OPENCODE_1


def find(store: Store, system: System) -> Usable | None:
    """The installed build, else the newest verified build in the store (one of the first line, if there is one); None
    if there is neither. Raises StoreError or InstallError when the store or the installation cannot be read.
    """
    installed = activate.look(store, system).active
    line = of_version(version_of(installed.tag)) if installed else None
    if installed and line and is_file(installed.file):
        return Usable(file=installed.file, what=f"the installed OpenCode {installed.version}", line=line)
    verified = [build for build in builds.list_builds(store) if build.verified and is_file(build.binary)]
    for line in LINES:
        for build in verified:
            if line.has(build.release.version):
                what = f"the build {build.directory.name}, which is not installed"
                return Usable(file=build.binary, what=what, line=line)
    return None
