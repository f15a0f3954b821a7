"""Level 3: the patched tree of the real release passes upstream's checks. Its tests: test_real_ours.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base import process
from tests.real.workshop import Workshop, new_files, require_format, require_lint

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

CHANGED = ("packages/opencode/src/combined/", "packages/core/src/combined/")


def changed(workshop: Workshop) -> list[str]:
    return [path for path in new_files(workshop) if path.startswith(CHANGED)]


def test_the_type_check_of_upstream_is_clean(with_bun: Workshop) -> None:
    # This package imports the source of the others. So its check includes what is new there, and takes half the time.
    command: list[str | Path] = [with_bun.bun, "x", "tsgo", "--noEmit", "--listFiles"]
    listed = process.run(command, cwd=with_bun.path / "packages/opencode").stdout.splitlines()
    files = [Path(file) for file in listed if file.startswith(str(with_bun.path))]
    checked = {file.relative_to(with_bun.path).as_posix() for file in files}
    # Both packages have the files of the core.
    twins = {path.replace("packages/opencode/", "packages/core/", 1) for path in checked}
    assert set(new_files(with_bun)) <= checked | twins


def test_the_new_files_are_formatted_as_upstream_formats(with_bun: Workshop) -> None:
    require_format(with_bun, changed(with_bun))


def test_the_linter_of_upstream_finds_nothing_that_upstream_does_not_do_too(with_bun: Workshop) -> None:
    require_lint(with_bun, changed(with_bun))
