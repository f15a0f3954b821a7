"""Level 3: our own tests pass in the patched tree of the real release."""

from __future__ import annotations

import pytest

from tests.real.workshop import Workshop, run_tests

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]


def test_our_tests_pass_in_the_tree_of_upstream(with_bun: Workshop) -> None:
    passed = run_tests(with_bun, "test/combined")
    assert passed > 580, "our tests were not all found"
