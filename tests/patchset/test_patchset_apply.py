"""A work tree becomes pristine + change, from whatever was in it, and hand edits survive."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base import files, git
from opencode_patcher.base.errors import PatchError, StoreError
from opencode_patcher.patchset import record
from opencode_patcher.patchset.apply import Applied, apply_change
from opencode_patcher.patchset.compose import Change
from tests.patchset.patchset_samples import KITCHEN, PATH

FILES = {PATH: KITCHEN, "src/bar.ts": "bar\n", "bun.lock": "lock\n", ".gitignore": "node_modules\n*.log\n"}
NEW = "src/combined/taste.ts"


class Tree:
    """A checkout with the functions that the tests ask of it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def pristine(self, path: str) -> bytes | None:
        shown = git.run("show", f"HEAD:{path}", cwd=self.root, check=False)
        return shown.stdout.encode() if shown.code == 0 else None

    def apply(
        self, files: dict[str, str], *, discard_edits: bool = False, tolerated: frozenset[str] = frozenset()
    ) -> Applied:
        change = Change(files={path: text.encode() for path, text in files.items()})
        return apply_change(self.root, change, self.pristine, discard_edits=discard_edits, tolerated=tolerated)

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def status(self) -> list[str]:
        output = git.run("status", "--porcelain", "--untracked-files=all", cwd=self.root).stdout
        return sorted(output.splitlines())


@pytest.fixture
def tree(commit: Callable[..., Path]) -> Tree:
    return Tree(commit(FILES))


@pytest.fixture
def worktree(tree: Tree, tmp_path: Path) -> Tree:
    """A linked work tree with a sparse checkout: its .git is a file."""
    path = tmp_path / "worktree"
    git.run("worktree", "add", "--quiet", "--detach", "--no-checkout", path, cwd=tree.root)
    git.run("sparse-checkout", "set", "--no-cone", "/*", "!/src/bar.ts", cwd=path)
    git.run("checkout", "--quiet", cwd=path)
    assert not (path / "src/bar.ts").exists()
    return Tree(path)


def test_changes_and_new_files(tree: Tree) -> None:
    applied = tree.apply({PATH: "patched\n", NEW: "new\n"})
    assert applied.written == (NEW, PATH)
    assert applied.removed == applied.unchanged == ()
    assert tree.text(PATH) == "patched\n"
    assert tree.text(NEW) == "new\n"
    assert tree.status() == [f" M {PATH}", f"?? {NEW}"]


def test_a_second_run_writes_nothing(tree: Tree) -> None:
    tree.apply({PATH: "patched\n", NEW: "new\n"})
    before = {path: (tree.root / path).stat() for path in (PATH, NEW)}
    applied = tree.apply({PATH: "patched\n", NEW: "new\n"})
    assert applied == Applied(written=(), removed=(), unchanged=(NEW, PATH))
    assert all((tree.root / path).stat().st_ino == stat.st_ino for path, stat in before.items())


def test_another_change_starts_from_the_pristine_release(tree: Tree) -> None:
    tree.apply({PATH: "patched\n", NEW: "new\n", "src/combined/deep/x.ts": "x\n"})
    applied = tree.apply({"src/bar.ts": "patched\n", NEW: "newer\n"})
    assert applied.written == ("src/bar.ts", NEW, PATH)
    assert applied.removed == ("src/combined/deep/x.ts",)
    assert tree.text(PATH) == KITCHEN
    assert not (tree.root / "src/combined/deep").exists()
    assert tree.status() == [" M src/bar.ts", f"?? {NEW}"]


def test_an_empty_change_leaves_the_pristine_tree(tree: Tree) -> None:
    tree.apply({PATH: "patched\n", NEW: "new\n"})
    tree.apply({})
    assert tree.status() == []
    assert not (tree.root / "src/combined").exists()


def test_a_sparse_linked_worktree(worktree: Tree) -> None:
    worktree.apply({PATH: "patched\n", NEW: "new\n"})
    assert worktree.status() == [f" M {PATH}", f"?? {NEW}"]
    worktree.apply({})
    assert worktree.status() == []


@pytest.mark.parametrize(
    "edited", [PATH, NEW, "src/bar.ts", "notes.txt", "src/combined/mine.ts"], ids=lambda path: path
)
def test_manual_edits_are_never_overwritten(tree: Tree, edited: str) -> None:
    tree.apply({PATH: "patched\n", NEW: "new\n"})
    tree.write(edited, "mine\n")
    before = {path: tree.text(path) for path in (PATH, NEW)}
    with pytest.raises(PatchError) as caught:
        tree.apply({PATH: "patched again\n"})
    assert edited in caught.value.why
    assert "opencode-patcher build --discard-edits" in caught.value.next_step
    assert tree.text(edited) == "mine\n"
    assert {path: tree.text(path) for path in (PATH, NEW)} == before


def test_a_deleted_or_staged_file_counts_as_an_edit(tree: Tree) -> None:
    (tree.root / "src/bar.ts").unlink()
    with pytest.raises(PatchError, match=r"src/bar.ts"):
        tree.apply({PATH: "patched\n"})
    tree.write("src/bar.ts", "staged\n")
    git.run("add", "src/bar.ts", cwd=tree.root)
    with pytest.raises(PatchError, match=r"src/bar.ts"):
        tree.apply({PATH: "patched\n"})


def test_a_foreign_file_at_the_place_of_a_new_file(tree: Tree) -> None:
    tree.write(NEW, "mine\n")
    with pytest.raises(PatchError, match=NEW):
        tree.apply({NEW: "new\n"})
    assert tree.text(NEW) == "mine\n"


def test_discarding_edits_restores_the_tree(tree: Tree) -> None:
    tree.apply({PATH: "patched\n", NEW: "new\n"})
    for path in (PATH, NEW, "src/bar.ts", "notes.txt"):
        tree.write(path, "mine\n")
    (tree.root / "bun.lock").unlink()
    (tree.root / "bun.lock").symlink_to("/etc/passwd")
    git.run("add", "src/bar.ts", cwd=tree.root)
    tree.apply({PATH: "patched\n", NEW: "new\n"}, discard_edits=True)
    assert tree.status() == [f" M {PATH}", f"?? {NEW}"]
    assert (tree.text(PATH), tree.text(NEW)) == ("patched\n", "new\n")


def test_many_edits_are_counted(tree: Tree) -> None:
    for number in range(25):
        tree.write(f"edit{number:02}", "mine\n")
    with pytest.raises(PatchError, match=r"edit09\n  and 15 more"):
        tree.apply({PATH: "patched\n"})


def test_ignored_and_tolerated_files_are_left_alone(tree: Tree) -> None:
    tree.write("node_modules/x/index.js", "x\n")
    tree.write("bun.lock", "rewritten\n")
    with pytest.raises(PatchError, match=r"bun\.lock"):
        tree.apply({PATH: "patched\n"})
    tree.apply({PATH: "patched\n"}, tolerated=frozenset({"bun.lock"}))
    assert tree.text("bun.lock") == "rewritten\n"
    assert tree.text("node_modules/x/index.js") == "x\n"


def test_the_old_result_on_a_tree_without_record_is_an_edit(tree: Tree) -> None:
    tree.write(PATH, "patched by someone\n")
    with pytest.raises(PatchError, match=PATH):
        tree.apply({PATH: "patched\n"})
    # What is already there is exactly what is wanted: nothing would be lost.
    tree.write(PATH, "patched\n")
    assert tree.apply({PATH: "patched\n"}).unchanged == (PATH,)


@pytest.mark.parametrize("files_written", [0, 1, 2, 3])
@pytest.mark.parametrize("next_change", [{PATH: "two\n", NEW: "two\n"}, {"src/bar.ts": "three\n"}, {}])
def test_an_interrupted_run_is_finished_by_the_next(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, files_written: int, next_change: dict[str, str]
) -> None:
    tree.apply({"src/bar.ts": "one\n", NEW: "one\n"})
    real = files.write_bytes
    written: list[Path] = []

    def interrupted(path: Path, data: bytes, **rest: int) -> None:
        if path.suffix == ".ts":
            if len(written) == files_written:
                raise KeyboardInterrupt
            written.append(path)
        real(path, data, **rest)

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_bytes", interrupted)
        if files_written < 3:
            with pytest.raises(KeyboardInterrupt):
                tree.apply({PATH: "two\n", NEW: "two\n"})
        else:
            tree.apply({PATH: "two\n", NEW: "two\n"})
    tree.apply(next_change)
    for path, original in [(PATH, KITCHEN), ("src/bar.ts", "bar\n")]:
        assert tree.text(path) == next_change.get(path, original)
    assert (tree.root / NEW).exists() == (NEW in next_change)


def test_what_a_killed_write_left_behind_is_cleaned_up(tree: Tree) -> None:
    tree.apply({PATH: "patched\n"})
    leftover = tree.root / "src" / ".kitchen.ts.ab12_x.tmp"
    leftover.write_text("half")
    assert tree.apply({PATH: "patched\n"}).removed == ()
    assert not leftover.exists()
    tree.write("src/.other.ts.ab12_x.tmp", "mine\n")
    with pytest.raises(PatchError, match=r"other.ts"):
        tree.apply({PATH: "patched\n"})


def test_nothing_is_written_or_removed_through_a_linked_directory(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "taste.ts").write_text("precious\n")
    link = tree.root / "src/combined"
    link.symlink_to(outside)
    with pytest.raises(PatchError, match="symbolic link"):
        tree.apply({NEW: "new\n", PATH: "patched\n"})
    assert tree.text(PATH) == KITCHEN
    tree.apply({NEW: "new\n"}, discard_edits=True)
    assert not link.is_symlink()
    assert tree.text(NEW) == "new\n"
    assert (outside / "taste.ts").read_text() == "precious\n"


def test_an_ignored_link_is_not_followed_either(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.ts").write_text("precious\n")
    (tree.root / "node_modules").symlink_to(outside)
    for discard in (False, True):
        with pytest.raises(PatchError, match="symbolic link"):
            tree.apply({"node_modules/a.ts": "new\n"}, discard_edits=discard)
        assert (outside / "a.ts").read_text() == "precious\n"


def test_a_target_that_upstream_has_as_a_link_is_refused(commit: Callable[..., Path], tmp_path: Path) -> None:
    tree = Tree(commit(FILES))
    (tree.root / "src/link.ts").symlink_to("bar.ts")
    git.run("add", "--all", cwd=tree.root)
    git.run("-c", "user.name=T", "-c", "user.email=t@example.invalid", "commit", "-qm", "link", cwd=tree.root)
    with pytest.raises(PatchError, match="symbolic link"):
        tree.apply({"src/link.ts": "patched\n"})
    assert tree.text("src/bar.ts") == "bar\n"


@pytest.mark.parametrize("path", ["../x", "/tmp/x", ".git/config", "a/../../x"])
def test_paths_outside_the_tree_are_refused(tree: Tree, path: str) -> None:
    with pytest.raises(PatchError, match="cannot be written"):
        tree.apply({path: "x\n"})


def test_a_directory_in_the_way(tree: Tree) -> None:
    with pytest.raises(PatchError, match="is a directory"):
        tree.apply({"src": "x\n"})
    with pytest.raises(PatchError, match="is a file"):
        tree.apply({"bun.lock/x": "x\n"})


def test_an_executable_file_stays_one(tree: Tree) -> None:
    (tree.root / PATH).chmod(0o755)
    tree.apply({PATH: "patched\n"})
    assert (tree.root / PATH).stat().st_mode & 0o777 == 0o755


def test_a_directory_that_is_not_a_work_tree(tmp_path: Path, tree: Tree) -> None:
    (tmp_path / "plain").mkdir()
    for path in (tmp_path / "plain", tree.root / "src", tmp_path / "missing"):
        with pytest.raises(StoreError, match="not a git work tree"):
            apply_change(path, Change(files={}), lambda _: None)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"format": 99, "files": {}}', '{"format": 1, "digest": "", "files": {"../../x": []}}', "\0"],
)
def test_a_damaged_record_is_refused_and_can_be_discarded(tree: Tree, text: str) -> None:
    tree.apply({PATH: "patched\n", NEW: "new\n"})
    (tree.root / ".git" / record.FILE_NAME).write_text(text)
    with pytest.raises(StoreError, match="--discard-edits"):
        tree.apply({PATH: "patched\n"})
    tree.apply({PATH: "patched\n"}, discard_edits=True)
    assert tree.status() == [f" M {PATH}"]
    assert json.loads((tree.root / ".git" / record.FILE_NAME).read_text())["files"].keys() == {PATH}
