"""``docs/configuration.md`` is made from the schema."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.configuration.document import MEANINGS, document, keys

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_the_published_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), "make it again: python -m opencode_patcher.configuration"


def test_every_setting_is_explained_and_nothing_else() -> None:
    found = keys()
    assert [key.path for key in found if not key.meaning] == [], "explain them in the patch, or in MEANINGS"
    assert set(MEANINGS) <= {key.path for key in found}
