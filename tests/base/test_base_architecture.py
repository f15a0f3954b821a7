"""The page about the architecture says what import-linter enforces, and names files that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_documented_layers_are_the_enforced_ones() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [enforced] = [one["layers"] for one in contracts if one["name"] == "Rooms stand in layers"]
    drawn = PAGE.split("## Layers")[1].split("```")[1].strip().splitlines()
    assert [set(line.split()) for line in drawn] == [set(layer.split(" | ")) for layer in enforced]


def test_every_room_has_a_row() -> None:
    rooms = {path.parent.name for path in (ROOT / "opencode_patcher").glob("*/__init__.py")}
    assert rooms <= set(re.findall(r"^\| `(\w+)/` \|", PAGE, re.MULTILINE))


def test_the_files_in_the_tour_exist() -> None:
    named = re.findall(r"`([a-z]+/[a-z_]+\.py)`", PAGE)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / "opencode_patcher" / name).is_file()] == []
