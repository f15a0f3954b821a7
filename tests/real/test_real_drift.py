"""Level 4: the patches and every release of the support window, and the real files under random edits."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.patchset import series
from opencode_patcher.patchset.compose import FileOutcome, walk
from opencode_patcher.patchset.place import place, read_source, split_lines
from opencode_patcher.patchset.values import values_for
from opencode_patcher.upkeep import release_check, writeback
from opencode_patcher.upkeep.release_check import Fit
from opencode_patcher.upstream import DEFAULT_SOURCE, lock, releases, support
from opencode_patcher.upstream.repository import opened

pytestmark = pytest.mark.upstream


def test_every_release_of_the_window_is_fine_and_every_hunk_is_where_it_is_meant_to_be(real_store: Store) -> None:
    window = support.read_support()
    wanted = [release for release in releases.list_releases(DEFAULT_SOURCE) if window.patches(release)]
    locked = lock.read_lock().release
    checked = release_check.check_releases(DEFAULT_SOURCE, wanted, locked, real_store, SilentReporter())
    assert len(wanted) >= 40
    assert {item.tag for item in checked.checks if release_check.judge(item, window) is Fit.FAILS} == set()
    known = next(item for item in checked.checks if item.tag == locked.tag)
    meant = {
        (patch.patch, at.hunk, at.function) for patch in known.patches for file in patch.files for at in file.placements
    }
    reached: set[str] = set()
    for found in checked.checks:
        landed = {
            (patch.patch, at.hunk, at.function)
            for patch in found.patches
            for file in patch.files
            for at in file.placements
        }
        assert landed <= meant, found.tag
        reached |= {patch for patch, _, _ in landed}
    assert reached == {patch.name for patch in series.load(resources.patches()).patches}


def test_the_lock_names_a_release_of_the_source() -> None:
    locked = lock.read_lock()
    listed = releases.list_releases(DEFAULT_SOURCE)
    assert releases.find(listed, locked.release.tag) == locked.release


def test_refreshing_without_a_change_changes_nothing(real_store: Store) -> None:
    release = lock.read_lock().release
    patches = series.load(resources.patches())
    with opened(real_store, DEFAULT_SOURCE) as repository:
        repository.fetch([release], SilentReporter())
        texts = writeback.from_release(repository.snapshot(release), release, patches)
    assert writeback.changed(patches, texts) == ()


@cache
def real_files(root: Store) -> tuple[FileOutcome, ...]:
    """What the patches do to the files of the lock's release."""
    release = lock.read_lock().release
    patches = series.load(resources.patches())
    with opened(root, DEFAULT_SOURCE) as repository:
        repository.fetch([release], SilentReporter())
        snapshot = repository.snapshot(release)
        snapshot.prefetch(patches.places())
        steps = walk(patches, values_for(OPENCODE_1, release), snapshot.read, version=release.version)
        return tuple(item for _, found in steps for item in found if item.path is not None)


Lines = list[tuple[str, int]]
"""The lines of a file, each with its number in upstream's file; -1 for a line that was inserted."""

positions = st.floats(0, 1, exclude_max=True)
edits = st.lists(
    st.tuples(st.sampled_from(["insert", "delete", "copy", "copy hook", "move", "rename"]), positions, positions),
    min_size=1,
    max_size=8,
)


def edited(lines: Lines, hooks: list[range], changes: list[tuple[str, float, float]]) -> Lines:
    """The file after edits elsewhere: the lines that the hunks are about stay, but copies of them may be anywhere."""
    kept = {number for hook in hooks for number in hook}
    made = list(lines)
    for kind, where, what in changes:
        at, other = int(where * len(made)), int(what * len(made))
        if kind == "insert":
            made.insert(at, (made[other][0], -1))
        elif kind == "copy":
            made[at:at] = [(text, -1) for text, _ in made[other : other + 30]]
        elif kind == "copy hook":
            hook = hooks[int(what * len(hooks))]
            made[at:at] = [(text, -1) for text, number in lines if hook.start - 3 <= number < hook.stop + 3]
        elif made[at][1] in kept:
            continue
        elif kind == "delete":
            del made[at]
        elif kind == "move":
            made.insert(other % len(made), made.pop(at))
        else:
            made[at] = (made[at][0].replace("const ", "let ").replace("ctx", "context"), -1)
    return made


@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), edits, st.booleans())
def test_real_files_get_exactly_the_intended_edit_or_none(
    real_store: Store, data: st.DataObject, changes: list[tuple[str, float, float]], crlf: bool
) -> None:
    item = data.draw(st.sampled_from(real_files(real_store)))
    assert item.path is not None
    assert item.placed is not None
    assert item.hunks is not None
    spans = [
        range(at.line - 1, at.line - 1 + len(hunk.source))
        for at, hunk in zip(item.placed.placements, item.hunks.hunks, strict=True)
    ]
    numbered = [(text, number) for number, text in enumerate(split_lines(item.before))]
    made = edited(numbered, spans, changes)
    text = "".join(line for line, _ in made)
    if crlf:
        text = text.replace("\n", "\r\n")
    outcome = place("sample", item.path, item.hunks, text)
    if outcome.misfits:
        assert outcome.text == text
        return
    source_, outline = read_source(text)
    assert outline is not None
    numbers = [number for _, number in made]
    for at, span, hunk in zip(outcome.placements, spans, item.hunks.hunks, strict=True):
        original = numbers.index(span.start)
        if at.line - 1 == original or at.already:
            continue
        # Another place is right only if the edits have moved the hook's own lines out of their function, or split them.
        declaration = outline.enclosing(source_.starts[original])
        together = numbers[original : original + len(span)] == list(span)
        inside = declaration is not None and declaration.path[-1:] == (hunk.heading.split(" > ")[-1],)
        at_top = declaration is None and not hunk.heading
        assert not (together and (inside or at_top) and not source_.text_around(original)), (at, original)
