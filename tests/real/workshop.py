"""The patched tree of the real release, and how tests are run in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.version import Release

FIXTURE = "packages/opencode/test/tool/fixtures/models-api.json"
"""Upstream's tests read a models catalogue here. It is megabytes large and left out of the tree; ours is put there."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A patched tree of the real release with upstream's tests and ours, its dependencies installed."""

    path: Path
    bun: Path
    release: Release

    @contextmanager
    def empty_catalogue(self) -> Iterator[None]:
        """Tests inside see no catalogued models. Loading all of them takes more time than most tests do.

        No other test may run in the tree meanwhile.
        """
        fixture = self.path / FIXTURE
        whole = fixture.read_bytes()
        fixture.write_bytes(b"{}")
        try:
            yield
        finally:
            fixture.write_bytes(whole)


def run_tests(workshop: Workshop, *paths: str, processes: int = 1) -> int:
    """Run tests with bun in upstream's package and return how many passed.

    ``processes`` share the paths out among them. A test that waits for the clock can fail on a busy machine; one that
    fails counts when it does so again alone. A file that cannot be loaded has no test that fails: bun counts it as an
    error.
    """
    command: list[str | Path] = [workshop.bun, "test", "--timeout", "60000"]
    place = workshop.path / "packages" / "opencode"

    def run(part: Sequence[str]) -> str:
        done = process.run([*command, *part], cwd=place, check=False)
        return done.stdout + done.stderr

    parts = [part for part in (paths[number::processes] for number in range(processes)) if part]
    with ThreadPoolExecutor(max_workers=processes) as pool:
        outputs = list(pool.map(run, parts))
    passed = 0
    for output in outputs:
        assert not re.search(r"^\s*\d+ errors?$", output, re.MULTILINE), output[-2000:]
        for name in sorted(set(re.findall(r"^\(fail\) (.+?)(?: \[[\d.]+ms\])?$", output, re.MULTILINE))):
            process.run([*command, *paths, "--test-name-pattern", re.escape(name.split(" > ")[-1])], cwd=place)
        summary = re.search(r"^\s*(\d+) pass$", output, re.MULTILINE)
        assert summary, output[-2000:]
        passed += int(summary[1])
    return passed
