"""How far back and forward the patches apply, compared with the usual tools on the usual diff of the same edits.

The usual diff is what ``git diff`` makes: three lines of context, authored at one release. It is tried on every other
release, file by file, with plain ``git apply``, ``git apply --3way`` (which finds the authored file's blob) and
``patch -F3``. A file that a tool accepts is right if it is what the hooks should make of it, else wrong. Where a hook
has no place at all, nobody can tell whether the file is right.
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.base import git, process, resources
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.patchset import series
from opencode_patcher.patchset.compose import walk
from opencode_patcher.patchset.values import values_for
from opencode_patcher.upkeep import release_check
from opencode_patcher.upstream import DEFAULT_SOURCE, lock, releases
from opencode_patcher.upstream.repository import opened
from opencode_patcher.upstream.snapshot import Snapshot

OLDEST = (1, 14, 0)
AUTHORED_AT = ("v1.15.0", "v1.17.0", "v1.18.3")
OURS = "opencode-patcher"


@dataclass(frozen=True)
class Edit:
    """One file of the series in one release: where it is, and its text before and after."""

    path: str
    before: str
    after: str


Edits = Mapping[str, Edit | None]
"""By target; None for a hook that has no place in that release."""

Tool = Callable[[Path, Path], bool]
"""Applies a diff (the path of its file) to the work tree. Returns whether the tool says that it succeeded."""


def main() -> None:
    """For each release that a diff is authored at, print how many releases each tool gets completely right, and how
    many files it gets wrong.
    """
    patches = series.load(resources.patches())
    listed = [release for release in releases.list_releases(DEFAULT_SOURCE) if release.version >= OLDEST]
    store = open_store()
    with opened(store, DEFAULT_SOURCE) as repository:
        repository.fetch(listed, SilentReporter())
        snapshots = {release: repository.snapshot(release) for release in listed}
        found = (snapshot.entry(path) for snapshot in snapshots.values() for path in patches.places())
        repository.objects.prefetch(entry.name for entry in found if entry)
        contents = {release: _files(snapshot, patches) for release, snapshot in snapshots.items()}
    edits = {release: _edits(patches, release, contents[release]) for release in listed}
    _speed(listed)
    whole = [release for release in listed if all(edits[release].values())]
    print(f"{len(listed)} releases, {listed[0].tag} to {listed[-1].tag}; every hook has its place in {len(whole)}.")
    print(f"{'authored at':<12} {'tool':<18} {'releases right':>14} {'back to':>9} {'up to':>9} {'files wrong':>11}")
    for tag in AUTHORED_AT:
        authored = next(release for release in listed if release.tag == tag)
        span, misplaced = _span(listed, authored, set(whole)), _misplaced(patches, listed, authored, edits)
        print(f"{tag:<12} {OURS:<18} {span} {misplaced:>11}")
        for name, tool in TOOLS.items():
            right, wrong = _try(tool, edits[authored], listed, contents, edits)
            print(f"{'':<12} {name:<18} {_span(listed, authored, right)} {wrong:>11}")


def _speed(listed: list[Release]) -> None:
    """How long ``check --all`` takes once everything is fetched."""
    store, known = open_store(), lock.read_lock().release
    wanted = [release for release in listed if release.version >= (1, 15, 0)]
    for run in ("first", "again"):
        cpu = time.process_time()
        found = release_check.check_releases(DEFAULT_SOURCE, wanted, known, store, SilentReporter())
        cpu = time.process_time() - cpu
        if run == "again":
            each, busy = found.seconds * 1000 / len(wanted), cpu * 1000 / len(wanted)
            print(f"check of {len(wanted)} releases: {each:.0f} ms a release, {busy:.0f} ms of it computing")


def _files(snapshot: Snapshot, patches: series.Series) -> dict[str, bytes]:
    return {path: content for path in patches.places() if (content := snapshot.read(path)) is not None}


def _edits(patches: series.Series, release: Release, files: Mapping[str, bytes]) -> Edits:
    found: dict[str, Edit | None] = {}
    for _, outcomes in walk(patches, values_for(OPENCODE_1, release), files.get, version=release.version):
        for item in outcomes:
            if item.excused:
                continue
            fits = item.path is not None and item.placed is not None and not item.placed.misfits
            edit = Edit(item.path or "", item.before, item.placed.text) if fits and item.placed else None
            # Several patches may change the same file; the usual diff contains all their changes.
            earlier = found.get(item.target.path, edit)
            found[item.target.path] = replace(edit, before=earlier.before) if edit and earlier else None
    return found


def _misplaced(patches: series.Series, listed: list[Release], authored: Release, edits: Mapping[Release, Edits]) -> int:
    """How many hunks of ours, in all releases together, are in another function than where they were authored."""
    wrong = 0
    values = values_for(OPENCODE_1, authored)
    meant: dict[tuple[str, int], str] = {}
    for release in [authored, *listed]:
        files = {edit.path: edit.before.encode() for edit in edits[release].values() if edit}
        for patch, outcomes in walk(patches, values, files.get, version=release.version):
            for item in outcomes:
                for at in item.placed.placements if item.placed and not item.placed.misfits else ():
                    key = (f"{patch.name} {item.target.path}", at.hunk)
                    wrong += meant.setdefault(key, at.function.split(" > ")[-1]) != at.function.split(" > ")[-1]
    return wrong


def _try(
    tool: Tool,
    authored: Edits,
    listed: list[Release],
    contents: Mapping[Release, Mapping[str, bytes]],
    edits: Mapping[Release, Edits],
) -> tuple[set[Release], int]:
    right: set[Release] = set()
    wrong = 0
    seen: dict[tuple[str, bytes | None], str] = {}
    for release in listed:
        verdicts: Counter[str] = Counter()
        for target, edit in authored.items():
            if edit is None:
                continue
            content = contents[release].get(edit.path)
            wanted = edits[release].get(target)
            key = (target, content)
            if key not in seen:
                seen[key] = _verdict(tool, edit, content, wanted)
            verdicts[seen[key]] += 1
        wrong += verdicts["wrong"]
        if set(verdicts) == {"right"}:
            right.add(release)
    return right, wrong


def _verdict(tool: Tool, authored: Edit, content: bytes | None, wanted: Edit | None) -> str:
    if content is None:
        return "refused"
    with tempfile.TemporaryDirectory(prefix="opencode-patcher-") as scratch:
        root = Path(scratch)
        git.run("init", "--quiet", root)
        old, new = (_blob(root, text) for text in (authored.before, authored.after))
        file = root / authored.path
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        git.run("add", "--all", cwd=root)
        diff = root / ".git" / "the.diff"
        diff.write_bytes(_diff(authored, old, new).encode())
        if not tool(root, diff):
            return "refused"
        if wanted is None:
            return "unknown"
        return "right" if file.read_bytes() == wanted.after.encode() else "wrong"


def _blob(root: Path, text: str) -> str:
    return git.run("hash-object", "-w", "--stdin", cwd=root, stdin=text).stdout.strip()


def _diff(edit: Edit, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        edit.before.splitlines(keepends=True),
        edit.after.splitlines(keepends=True),
        f"a/{edit.path}",
        f"b/{edit.path}",
        n=3,
    )
    return f"diff --git a/{edit.path} b/{edit.path}\nindex {old}..{new} 100644\n{''.join(lines)}"


def _git_apply(root: Path, diff: Path) -> bool:
    return git.run("apply", diff, cwd=root, check=False).code == 0


def _git_three_way(root: Path, diff: Path) -> bool:
    return git.run("apply", "--3way", diff, cwd=root, check=False).code == 0


def _patch(root: Path, diff: Path) -> bool:
    program = shutil.which("patch")
    assert program, "the measurement needs the program patch"
    done = process.run([program, "-p1", "-F3", "--batch", "--forward", "-i", diff], cwd=root, check=False)
    return done.code == 0


TOOLS: Mapping[str, Tool] = {"git apply": _git_apply, "git apply --3way": _git_three_way, "patch -F3": _patch}


def _span(listed: list[Release], authored: Release, right: set[Release]) -> str:
    """How many releases are right, and the unbroken stretch around the one of authorship."""
    at = listed.index(authored)
    first = last = at
    while first > 0 and listed[first - 1] in right:
        first -= 1
    while last + 1 < len(listed) and listed[last + 1] in right:
        last += 1
    return f"{len(right):>14} {listed[first].tag:>9} {listed[last].tag:>9}"


if __name__ == "__main__":
    main()
