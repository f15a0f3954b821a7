"""A build follows a file that upstream has moved, and names the commit when it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.pipeline import Prepared
from opencode_patcher.upstream import releases
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, Upstream

NEW = "packages/opencode/src/cooking/kitchen.ts"


class Project(Protocol):
    patches: Path
    templates: Path


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def prepare(upstream: Upstream, project: Project, store: Store, reporter: Notes) -> Prepared:
    listed = releases.list_releases(upstream.source)
    request = Request(source=upstream.source, patches=project.patches, templates=project.templates)
    return pipeline.prepare(request, listed[-1], store, reporter, known=listed[0])


def test_a_moved_file_is_patched_where_it_is(upstream: Upstream, project: Project, store: Store) -> None:
    commit = upstream.commit("Tidy the kitchen", {KITCHEN: None, NEW: KITCHEN_TEXT})
    upstream.release("v1.21.0", {})
    reporter = Notes()
    prepared = prepare(upstream, project, store, reporter)
    assert "CombinedTaste.taste(plate)" in (prepared.tree.path / NEW).read_text()
    assert not (prepared.tree.path / KITCHEN).exists()
    assert any(commit[:12] in note and "Tidy the kitchen" in note for note in reporter.notes)


def test_a_moved_file_whose_lines_have_changed_is_refused(upstream: Upstream, project: Project, store: Store) -> None:
    moved = KITCHEN_TEXT.replace("return carry(plate, guest)", "return carry(plate, guest, now)")
    upstream.release("v1.21.0", {KITCHEN: None, NEW: moved})
    with pytest.raises(PatchError, match=NEW):
        prepare(upstream, project, store, Notes())


def test_a_deleted_file_names_the_commit(upstream: Upstream, project: Project, store: Store) -> None:
    commit = upstream.commit("Close the kitchen", {KITCHEN: None})
    upstream.release("v1.21.0", {})
    with pytest.raises(PatchError, match=r"is not in v1\.21") as caught:
        prepare(upstream, project, store, Notes())
    assert commit[:12] in caught.value.why
    assert "Close the kitchen" in caught.value.why
    assert "patches rebase v1.21.0" in caught.value.next_step
