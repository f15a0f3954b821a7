"""A file of a release may be put together of inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.release import notes


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "release" / "install").mkdir(parents=True)
    (tmp_path / "release" / "install.sh.j2").write_text("begin\n\n[% include 'install/part.sh.j2' %]\n\nend\n")
    return tmp_path


def test_a_part_appears_where_it_is_included_and_is_not_a_separate_file(templates: Path) -> None:
    (templates / "release" / "install" / "part.sh.j2").write_text("part of [= name =]\n")
    assert notes.render(templates, {"name": "it"}) == {"install.sh": "begin\n\npart of it\n\nend\n"}


@pytest.mark.parametrize("part", [None, "[= unknown =]\n", "[% if %]\n"])
def test_a_part_that_is_missing_or_wrong_is_an_error_of_the_template(templates: Path, part: str | None) -> None:
    if part:
        (templates / "release" / "install" / "part.sh.j2").write_text(part)
    with pytest.raises(PatchError, match=r"release/install\.sh\.j2' cannot be rendered"):
        notes.render(templates, {"name": "it"})
