"""Level 3: the release of the lock and the newest that the source has are built, and pass the whole drill."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Protocol

import pytest

from opencode_patcher.base import process
from opencode_patcher.base.store import HOME_VARIABLE
from opencode_patcher.upstream import DEFAULT_SOURCE, lock, releases

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(3600)]


class Workshop(Protocol):
    bun: Path


def json_of(place: Path, *words: str) -> dict[str, object]:
    command = [sys.executable, "-m", "opencode_patcher", *words, "--json"]
    found: dict[str, object] = json.loads(process.run(command, env={HOME_VARIABLE: str(place)}, check=False).stdout)
    return found


@pytest.mark.parametrize("which", ["lock", "newest"])
def test_it_passes_the_whole_drill(place: Path, with_bun: Workshop, which: str) -> None:
    locked = lock.read_lock().release
    release = locked if which == "lock" else releases.latest(releases.list_releases(DEFAULT_SOURCE))
    if which == "newest" and release == locked:
        pytest.skip("the lock is the newest release")
    built = json_of(place, "build", release.tag)
    assert "error" not in built, built
    report = json_of(place, "verify", "--binary", str(built["binary"]))
    scenarios = report["scenarios"]
    assert isinstance(scenarios, list)
    assert len(scenarios) > 70
    assert [item["name"] for item in scenarios if not item["passed"]] == []
    assert report["passed"] is True
