"""Fixtures of the room: a source to fetch from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.upstream.fake_upstream import Upstream


@pytest.fixture
def make_upstream(tmp_path: Path) -> Callable[[], Upstream]:
    made = 0

    def make() -> Upstream:
        nonlocal made
        made += 1
        return Upstream(tmp_path / f"upstream-{made}")

    return make


@pytest.fixture
def upstream(make_upstream: Callable[[], Upstream]) -> Upstream:
    """A repository with the release v1.0.0 that can leave out file contents, as public servers can."""
    made = make_upstream()
    made.allow_filter()
    made.release("v1.0.0")
    return made
