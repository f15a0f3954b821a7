"""A release is installed by its own script, and opencode-patcher knows what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.store import open_store
from opencode_patcher.install import builds
from opencode_patcher.install.status import status
from opencode_patcher.install.systems.current import current_system
from opencode_patcher.release import Made


@pytest.mark.skipif(sys.platform == "win32", reason="install.sh is for Linux and macOS")
def test_install_sh_installs_the_archive_for_this_machine(released: Made, isolated: Path) -> None:
    environment = {"HOME": str(isolated), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["sh", released.directory / "install.sh"],
        env={
            **environment,
            "OPENCODE_RELEASE_URL": str(released.directory),
            "OPENCODE_PATCHER_HOME": str(isolated / "s"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    store = open_store(isolated / "s")
    [build] = builds.list_builds(store)
    assert build.trusted
    artifact = next(one for one in released.manifest.artifacts if one.target == build.ingredients.target)
    assert file_sha256(isolated / ".local/bin/opencode") == build.sha256 == artifact.binary.sha256
    assert status(store, current_system(), environment, released.manifest.release).name == "current"
