"""Level 3: a failover in the real terminal interface is recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo terminal is needed")
def test_a_failover_is_recorded(tmp_path: Path, patched: Path) -> None:
    pytest.importorskip("pyte")
    picture, cast = tmp_path / "x.svg", tmp_path / "x.cast"
    assert run(["demo", "--binary", str(patched), "--record", str(picture), "--record", str(cast)]) == 0
    text = picture.read_text(encoding="utf-8")
    assert "Failover: " in text
    assert "(Alpha)" in text
    assert "(Beta)" in text
    assert len(text) < 300_000
    lines = [json.loads(line) for line in cast.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["version"] == 2
    assert len(lines) > 20
