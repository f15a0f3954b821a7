"""Level 3: our own tests pass in the patched tree of the real release, and upstream's do.

Neither may run while the others do: they need another catalogue.
"""

from __future__ import annotations

import pytest

from tests.real.workshop import Workshop, failed, run_tests

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

UPSTREAM_TESTS = ("test/session/processor-effect.test.ts", "test/session/retry.test.ts", "test/provider/**/*.test.ts")
"""Upstream's own tests of what the patches touch."""


def test_our_tests_pass_in_the_tree_of_upstream(with_bun: Workshop) -> None:
    package = with_bun.path / "packages" / "opencode"
    # The largest first, so that each process gets its share of the long ones.
    files = sorted((package / "test/combined").glob("*.test.ts"), key=lambda file: -file.stat().st_size)
    with with_bun.empty_catalogue():
        passed = run_tests(with_bun, *(str(file.relative_to(package)) for file in files))
    assert passed > 580, "our tests were not all found"


def test_the_tests_of_upstream_pass(with_bun: Workshop) -> None:
    package = with_bun.path / "packages" / "opencode"
    files = [str(file.relative_to(package)) for pattern in UPSTREAM_TESTS for file in sorted(package.glob(pattern))]
    passed = run_tests(with_bun, *files)
    assert passed > 510, "upstream's tests were not all found"


def test_a_failed_test_is_named_with_its_own_file() -> None:
    printed = """test/combined/tools.test.ts:
(pass) a tool runs once [12.00ms]
(fail) tools > all are kept [2219.33ms]

test/combined/fit.test.ts:
(pass) an image goes to a member that can read it [1935.45ms]

1 tests failed:
(fail) tools > all are kept [2219.33ms]
"""
    assert failed(printed) == [("test/combined/tools.test.ts", "all are kept")]
