"""The patched tree of the real release, and how tests are run in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import git, process
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


PROCESSES = (os.cpu_count() or 1) + 1
"""One more than can run at once, since many tests wait."""

TURNS = 4
"""How often a process takes the next files. Several at once, since a process needs a second to start."""

AGAIN = 3
"""Upstream's tests give some things less than a second, whatever else the machine does."""


def failed(output: str) -> list[tuple[str, str]]:
    """The tests that failed in what ``bun test`` printed: each one's file and name."""
    path, found = "", []
    for line in output.splitlines():
        if re.fullmatch(r"\d+ tests? failed:", line):
            break  # From here on they are only repeated, without their files.
        if heading := re.fullmatch(r"(\S+\.test\.tsx?):", line):
            path = heading[1]
        elif failure := re.fullmatch(r"\(fail\) (.+?)(?: \[[\d.]+ms\])?", line):
            found.append((path, failure[1].split(" > ")[-1]))
    return found


def run_tests(workshop: Workshop, *paths: str, package: str = "packages/opencode") -> int:
    """Run tests with bun in a package of upstream's and return how many passed.

    ``PROCESSES`` share the paths out among them. A test that waits for the clock can fail on a busy machine; one that
    fails counts when it does so each time alone, ``AGAIN`` times. A file that cannot be loaded has no test that fails:
    bun counts it as an error.
    """
    command: list[str | Path] = [workshop.bun, "test", "--timeout", "60000"]
    place = workshop.path / package

    def run(part: Sequence[str]) -> str:
        done = process.run([*command, *part], cwd=place, check=False)
        return done.stdout + done.stderr

    count = PROCESSES * TURNS
    parts = [part for part in (paths[number::count] for number in range(count)) if part]
    with ThreadPoolExecutor(max_workers=PROCESSES) as pool:
        outputs = list(pool.map(run, parts))
    passed = 0
    for output in outputs:
        assert not re.search(r"^\s*\d+ errors?$", output, re.MULTILINE), output[-2000:]
        for path, name in failed(output):
            alone = [*command, path, "--test-name-pattern", re.escape(name)]
            if not any(process.run(alone, cwd=place, check=False).code == 0 for _ in range(AGAIN)):
                raise AssertionError(f"{path}: {name} fails alone too:\n{output}")
        summary = re.search(r"^\s*(\d+) pass$", output, re.MULTILINE)
        assert summary, output[-2000:]
        passed += int(summary[1])
    return passed


TOLERATED = {"typescript-eslint(no-unsafe-type-assertion)"}
"""Warnings that upstream's own provider and session code has too: branded ids are made by assertion."""

TABLES = {"table.ts", "settings-table.ts"}
"""Data that is written by a template, which nobody formats."""


def new_files(workshop: Workshop) -> list[str]:
    """Our files in the tree, tests included."""
    listed = git.in_tree(workshop.path, "ls-files", "--others", "--exclude-standard", "-z", "--", "packages").stdout
    return sorted(path for path in listed.split("\0") if Path(path).suffix in (".ts", ".tsx"))


def require_format(workshop: Workshop, files: Sequence[str]) -> None:
    """Upstream's formatter would change none of these files."""
    written = [path for path in files if Path(path).name not in TABLES]
    assert written
    process.run([workshop.bun, "x", "prettier", "--check", *written], cwd=workshop.path)


def require_lint(workshop: Workshop, files: Sequence[str]) -> None:
    """Upstream's linter has nothing against these files that it does not have against upstream's own."""
    done = process.run([workshop.bun, "x", "oxlint", "--format", "unix", *files], cwd=workshop.path)
    kinds = set(re.findall(r"\[Warning/([^\]]+)\]", done.stdout))
    assert kinds <= TOLERATED, done.stdout
    assert "[Error/" not in done.stdout
