"""Level 3: the patched tree of the real release passes upstream's checks and upstream's tests."""

from __future__ import annotations

import os
import re

import pytest

from opencode_patcher.base import process
from tests.real.workshop import Workshop, run_tests

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

UPSTREAM_TESTS = ("test/session/processor-effect.test.ts", "test/session/retry.test.ts", "test/provider/**/*.test.ts")
"""Upstream's own tests of what the patches touch."""

CHANGED = ("packages/opencode/src/combined", "packages/core/src/combined")

TOLERATED = {"typescript-eslint(no-unsafe-type-assertion)"}
"""Warnings that upstream's own provider and session code has too: branded ids are made by assertion."""


@pytest.mark.xdist_group("tree")
def test_the_type_check_of_upstream_is_clean(with_bun: Workshop) -> None:
    for package in ("core", "opencode", "tui"):
        process.run([with_bun.bun, "run", "typecheck"], cwd=with_bun.path / "packages" / package)


@pytest.mark.xdist_group("tree")
def test_the_new_files_are_formatted_as_upstream_formats(with_bun: Workshop) -> None:
    files = [
        pattern
        for place in CHANGED
        for pattern in (
            f"{place}/**/*.ts",
            f"!{place}/identity/table.ts",
            f"!{place}/failure/table.ts",
            f"!{place}/settings-table.ts",
        )
    ]
    process.run([with_bun.bun, "x", "prettier", "--check", *files], cwd=with_bun.path)


@pytest.mark.xdist_group("tree")
def test_the_linter_of_upstream_finds_nothing_that_upstream_does_not_do_too(with_bun: Workshop) -> None:
    done = process.run([with_bun.bun, "x", "oxlint", "--format", "unix", *CHANGED], cwd=with_bun.path)
    kinds = set(re.findall(r"\[Warning/([^\]]+)\]", done.stdout))
    assert kinds <= TOLERATED, done.stdout
    assert "[Error/" not in done.stdout


@pytest.mark.xdist_group("tests")
def test_the_tests_of_upstream_pass(with_bun: Workshop) -> None:
    package = with_bun.path / "packages" / "opencode"
    files = [str(file.relative_to(package)) for pattern in UPSTREAM_TESTS for file in sorted(package.glob(pattern))]
    passed = run_tests(with_bun, *files, processes=os.cpu_count() or 1)
    assert passed > 510, "upstream's tests were not all found"
