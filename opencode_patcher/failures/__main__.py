"""Regenerates ``docs/failures.md`` of a checkout."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.failures.document import document
from opencode_patcher.failures.table import load

PAGE = Path(__file__).parents[2] / "docs" / "failures.md"

if __name__ == "__main__":
    files.write_text(PAGE, document(load()))
