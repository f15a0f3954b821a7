"""What the drill's tests share: a stand-in for the binary, and observations to judge."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.drill.fakes import server

TOOL_SECONDS = 0.3
"""The stand-in runs its tools after the whole answer, so a fault that waits for a tool always waits this long."""

FAKE = Path(__file__).with_name("fake_opencode.py")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TOOL_SECONDS", TOOL_SECONDS)


@pytest.fixture
def fake_opencode(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an executable that behaves as ``fake_opencode.py`` says for a mode."""

    def make(mode: str) -> Path:
        path = tmp_path / f"opencode-{mode}"
        text = FAKE.read_text(encoding="utf-8").replace("@MODE@", mode)
        path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        path.chmod(0o755)
        return path

    return make
