"""Level 3: our own tests pass in the patched tree of the real release."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from tests.real.bun_tests import run_tests

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]


class Workshop(Protocol):
    path: Path
    bun: Path


def test_our_tests_pass_in_the_tree_of_upstream(with_bun: Workshop) -> None:
    passed = run_tests(with_bun, "test/combined")
    assert passed > 580, "our tests were not all found"
