"""Fixtures of the room.

The small upstream is that of ``tests/upstream``; our real patches do not fit it, so the command line is started through
``launcher.py``, which names others.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import forks
from tests.cli.cli_samples import BUILD_SCRIPT, PATCH, CommandLine, MakeUpstream, program
from tests.upstream.fake_upstream import Upstream


@pytest.fixture
def command_line(tmp_path: Path, fork: forks.Start) -> CommandLine:
    """The command line with one patch and one new file that fit the small upstream, and no bun."""
    made = CommandLine(store=tmp_path / "cli store", root=tmp_path, fork=fork)
    patches, templates = made.patches, made.templates
    patches.mkdir(parents=True)
    (patches / "series").write_text("say-more\n")
    (patches / "say-more.patch").write_text(PATCH)
    (templates / "opencode-1" / "packages" / "core" / "src").mkdir(parents=True)
    (templates / "opencode-1" / "packages" / "core" / "src" / "added.ts.j2").write_text(
        "export const tag = [= release_tag | tojson =]\n"
    )
    catalogue = {"acme": {"id": "acme", "name": "Acme", "models": {"m": {"id": "m", "name": "M"}}}}
    (tmp_path / "models.json").write_text(json.dumps(catalogue))
    return made


@pytest.fixture
def with_bun(command_line: CommandLine, bun: Path) -> CommandLine:
    """The same with a real bun on PATH."""
    command_line.variables = {"PATH": os.pathsep.join([str(bun.parent), os.environ["PATH"]])}
    return command_line


@pytest.fixture
def make_upstream(tmp_path: Path) -> MakeUpstream:
    """Makes an upstream with the release v1.17.90: a program built by a script, or other files altogether."""

    def make(script: str = BUILD_SCRIPT, files: Mapping[str, str] | None = None) -> Upstream:
        upstream = Upstream(tmp_path / "upstream")
        upstream.allow_filter()
        upstream.release("v1.17.90", program(script) if files is None else files)
        return upstream

    return make


@pytest.fixture(scope="session")
def good_upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    upstream = Upstream(tmp_path_factory.mktemp("good") / "upstream")
    upstream.allow_filter()
    upstream.release("v1.17.90", program(BUILD_SCRIPT))
    return upstream.path


@pytest.fixture
def upstream(good_upstream: Path, tmp_path: Path) -> Upstream:
    """An upstream that builds."""
    return Upstream(shutil.copytree(good_upstream, tmp_path / "upstream"))
