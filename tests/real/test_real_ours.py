"""Level 3: our own tests pass in the patched tree of the real release."""

from __future__ import annotations

import os

import pytest

from tests.real.workshop import Workshop, run_tests

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800), pytest.mark.xdist_group("tests")]


def test_our_tests_pass_in_the_tree_of_upstream(with_bun: Workshop) -> None:
    package = with_bun.path / "packages" / "opencode"
    # The largest first, so that each process gets its share of the long ones.
    files = sorted((package / "test/combined").glob("*.test.ts"), key=lambda file: -file.stat().st_size)
    with with_bun.empty_catalogue():
        passed = run_tests(with_bun, *(str(file.relative_to(package)) for file in files), processes=os.cpu_count() or 1)
    assert passed > 580, "our tests were not all found"
