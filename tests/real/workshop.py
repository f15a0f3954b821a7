"""The patched tree of the real release, and how tests are run in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.version import Release


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A patched tree of the real release with upstream's tests and ours, its dependencies installed."""

    path: Path
    bun: Path
    release: Release


def run_tests(workshop: Workshop, *paths: str) -> int:
    """Run tests with bun in upstream's package and return how many passed.

    Some of upstream's tests wait for the clock and fail on a busy machine; one that fails counts when it does so again
    alone. A file that cannot be loaded has no test that fails: bun counts it as an error.
    """
    command: list[str | Path] = [workshop.bun, "test", "--timeout", "60000"]
    place = workshop.path / "packages" / "opencode"
    done = process.run([*command, *paths], cwd=place, check=False)
    output = done.stdout + done.stderr
    assert not re.search(r"^\s*\d+ errors?$", output, re.MULTILINE), output[-2000:]
    for name in sorted(set(re.findall(r"^\(fail\) (.+?)(?: \[[\d.]+ms\])?$", output, re.MULTILINE))):
        process.run([*command, *paths, "--test-name-pattern", re.escape(name.split(" > ")[-1])], cwd=place)
    summary = re.search(r"^\s*(\d+) pass$", output, re.MULTILINE)
    assert summary, output[-2000:]
    return int(summary[1])
