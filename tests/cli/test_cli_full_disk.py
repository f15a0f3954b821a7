"""The real command line on a disk that is full or may not be written."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_samples import CommandLine, Upstream

Script = Callable[[str], subprocess.CompletedProcess[str]]

ISOLATE = ("unshare", "--map-root-user", "--mount")
"""A shell whose mounts nobody else sees, and which are gone when it ends."""


@pytest.fixture(scope="session")
def can_mount(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("mount")
    if shutil.which(ISOLATE[0]) is None:
        pytest.skip("needs unshare of util-linux")
    tried = subprocess.run([*ISOLATE, "mount", "-t", "tmpfs", "tmpfs", place], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")


@pytest.fixture
def script(can_mount: None, with_bun: CommandLine) -> Script:
    """Runs a shell script in which ``DISK`` is an empty directory to mount on."""
    with_bun.store.mkdir()

    def run(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ISOLATE, "sh", "-c", text],
            env={**with_bun.environment(), "DISK": str(with_bun.store)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_store_that_may_not_be_written(script: Script, with_bun: CommandLine, upstream: Upstream) -> None:
    build = shlex.join(with_bun.argv("build", "v1.0.0", *map(str, with_bun.to_build(upstream))))

    done = script(f'mount -t tmpfs -o ro tmpfs "$DISK" && {build}; code=$?; mount -o remount,rw "$DISK"; {build} && exit $code')

    assert done.returncode == 9, done.stderr
    assert "Traceback" not in done.stderr
    error, _, _ = done.stderr.partition("done")
    assert f"Error: {with_bun.store} cannot be written." in error
    assert "Read-only file system." in error
    assert "OPENCODE_PATCHER_HOME" in error
    assert "OpenCode 1.0.0 with combined models is built" in done.stdout


SIZES = (4, 16, 32, 64, 96, 128, 160, 192, 256, 384)
"""Sizes of a disk in KiB. The small upstream's store needs some 600, so that each run gets a little further."""


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_disk_that_is_full_at_any_step(script: Script, with_bun: CommandLine, upstream: Upstream) -> None:
    build = shlex.join(with_bun.argv("build", "v1.0.0", *map(str, with_bun.to_build(upstream))))
    steps = [f'mount -o remount,size={size}k "$DISK"; echo "== $?" >&2; {build}; echo "-> $?" >&2' for size in SIZES]

    done = script("\n".join(['mount -t tmpfs -o size=4k tmpfs "$DISK"', *steps, 'mount -o remount,size=64m "$DISK"', build]))

    runs = done.stderr.split("== 0\n")[1:]
    print(done.stderr)
    assert len(runs) == len(SIZES)
    failed = [run for run in runs if not run.rstrip().endswith("-> 0")]
    assert len(failed) >= 5
    for run in failed:
        assert "Traceback" not in run
        assert "met a case it does not know" not in run
        error = run.partition("Error: ")[2]
        assert re.search("No space left|disk is full|ENOSPC", error), run
    assert done.returncode == 0
    assert "OpenCode 1.0.0 with combined models" in done.stdout
