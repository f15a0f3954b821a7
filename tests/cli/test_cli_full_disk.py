"""The real command line on a disk that is full or may not be written."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.cli.cli_samples import CommandLine
from tests.upstream.fake_upstream import Upstream

Script = Callable[[str], subprocess.CompletedProcess[str]]

ISOLATE = ("unshare", "--map-root-user", "--mount")
"""A shell with private mounts, which disappear when it ends."""


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
    build = shlex.join(with_bun.argv("build", "v1.17.90", *map(str, with_bun.to_build(upstream))))

    done = script(
        f'mount -t tmpfs -o ro tmpfs "$DISK" && {build}; code=$?; mount -o remount,rw "$DISK"; {build} && exit $code'
    )

    assert done.returncode == 9, done.stderr
    assert "Traceback" not in done.stderr
    error, _, _ = done.stderr.partition("done")
    assert f"Error: {with_bun.store}" in error
    assert "cannot be written." in error
    assert "Read-only file system." in error
    assert "OPENCODE_PATCHER_HOME" in error
    assert "OpenCode 1.17.90 with combined models is built" in done.stdout


SIZES = (4, 16, 32, 64, 96, 128, 160)
"""Sizes of a disk in KiB. Each lets the run get a little further; the store of the small upstream needs some 200."""


def test_a_disk_that_is_full_at_any_step(script: Script, with_bun: CommandLine, upstream: Upstream) -> None:
    build = shlex.join(with_bun.argv("build", "v1.17.90", *map(str, with_bun.to_build(upstream))))
    steps = ['mount -t tmpfs -o size=4k tmpfs "$DISK"']
    for size in SIZES:
        steps.append(f'mount -o remount,size={size}k "$DISK" && {build}; echo "exit code $?" >&2')
    steps.append(f'mount -o remount,size=64m "$DISK" && {build}')

    done = script("\n".join(steps))

    *runs, last = re.split(r"exit code (?=\d+\n)", done.stderr)
    codes = {int(run.partition("\n")[0]) for run in [*runs[1:], last]}
    assert len(runs) == len(SIZES)
    assert codes - {0} == {9}, done.stderr
    errors = [error for run in runs if (error := run.partition("Error: ")[2])]
    assert len(errors) >= 5, done.stderr
    for error in errors:
        assert re.search("No space left|disk is full", error), error
        assert "again" in error, error
    assert len({error.partition("\n")[0] for error in errors}) >= 3, "the disk was not full at different steps"
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert "OpenCode 1.17.90 with combined models" in done.stdout
