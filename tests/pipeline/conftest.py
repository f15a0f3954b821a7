"""Fixtures of the room: the small upstream, built once a test run with a real git and a real bun."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from opencode_patcher.base.line import LINES
from opencode_patcher.base.store import open_store
from opencode_patcher.pipeline import Built
from tests import forks
from tests.isolation import Isolation
from tests.pipeline.small_upstream import CommandLine, build


@pytest.fixture(autouse=True)
def with_tools(tools: None) -> None:
    """Every test of the room builds."""


@pytest.fixture(scope="session")
def built_demo(
    toolbox: Mapping[str, str], isolation: Isolation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Built]:
    """The patched small upstream."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in toolbox.items():
            patch.setenv(name, value)
        with isolation.network():
            built = build(open_store(tmp_path_factory.mktemp("demo") / "store"))
        yield built


@pytest.fixture
def command_line(tmp_path: Path, fork: forks.Start) -> CommandLine:
    return CommandLine(store=tmp_path / "cli-store", fork=fork)


@pytest.fixture
def patches_with(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Copies the patches and replaces a text in one of them; returns the copy."""
    from opencode_patcher.base import resources

    def copy(name: str, old: str, new: str) -> Path:
        directory = tmp_path / "patches"
        shutil.copytree(resources.patches(), directory)
        text = (directory / name).read_text(encoding="utf-8")
        assert old in text
        (directory / name).write_text(text.replace(old, new), encoding="utf-8")
        return directory

    return copy


@pytest.fixture
def unpatched(tmp_path: Path) -> dict[str, Path]:
    """What a request needs to leave upstream as it is: an empty series and no new files."""
    patches, templates = tmp_path / "no-patches", tmp_path / "no-templates"
    patches.mkdir()
    (patches / "series").write_text("# nothing\n")
    for line in LINES:
        (templates / line.templates[0].directory).mkdir(parents=True)
    return {"patches": patches, "templates": templates}
