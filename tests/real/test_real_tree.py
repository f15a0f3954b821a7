"""Level 3: the patched tree of the real release passes upstream's checks. Its tests: test_real_ours.py."""

from __future__ import annotations

import re

import pytest

from opencode_patcher.base import process
from tests.real.workshop import Workshop

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

CHANGED = ("packages/opencode/src/combined", "packages/core/src/combined")

TOLERATED = {"typescript-eslint(no-unsafe-type-assertion)"}
"""Warnings that upstream's own provider and session code has too: branded ids are made by assertion."""


def test_the_type_check_of_upstream_is_clean(with_bun: Workshop) -> None:
    for package in ("core", "opencode", "tui"):
        process.run([with_bun.bun, "run", "typecheck"], cwd=with_bun.path / "packages" / package)


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


def test_the_linter_of_upstream_finds_nothing_that_upstream_does_not_do_too(with_bun: Workshop) -> None:
    done = process.run([with_bun.bun, "x", "oxlint", "--format", "unix", *CHANGED], cwd=with_bun.path)
    kinds = set(re.findall(r"\[Warning/([^\]]+)\]", done.stdout))
    assert kinds <= TOLERATED, done.stdout
    assert "[Error/" not in done.stdout
