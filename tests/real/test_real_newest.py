"""Level 3: the newest release that the source has is built, and passes the whole drill.

That of the lock is built and drilled with the quick set in test_real_build.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.base.store import HOME_VARIABLE
from opencode_patcher.upstream import DEFAULT_SOURCE, releases
from tests.real.workshop import Workshop

pytestmark = [pytest.mark.newest, pytest.mark.upstream, pytest.mark.timeout(3600)]


def json_of(place: Path, *words: str) -> dict[str, object]:
    command = [sys.executable, "-m", "opencode_patcher", *words, "--json"]
    found: dict[str, object] = json.loads(process.run(command, env={HOME_VARIABLE: str(place)}, check=False).stdout)
    return found


def test_it_passes_the_whole_drill(place: Path, with_bun: Workshop) -> None:
    release = releases.latest(releases.list_releases(DEFAULT_SOURCE))
    built = json_of(place, "build", release.tag)
    assert "error" not in built, built
    verdict = built["drill"]
    assert isinstance(verdict, dict)
    assert verdict["failed"] == []
    assert len(verdict["passed"]) > 70
    assert verdict["whole"] is True
