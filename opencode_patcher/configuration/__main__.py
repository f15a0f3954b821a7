"""Regenerates ``docs/configuration.md`` of a checkout."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.configuration.document import document

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"

if __name__ == "__main__":
    files.write_text(PAGE, document())
