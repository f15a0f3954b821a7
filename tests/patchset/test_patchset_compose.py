"""From series, new files and values to a Change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import newfiles, series
from opencode_patcher.patchset.compose import Change, compose, outcomes
from opencode_patcher.patchset.misfit import MisfitError
from opencode_patcher.patchset.newfiles import NewFile
from opencode_patcher.patchset.series import Series
from tests.patchset.patchset_samples import HEADER, KITCHEN, PATH, TASTE, diff, hunk, patch_text

GOLDEN = Path(__file__).parent / "golden"


def series_of(*texts: str) -> Series:
    return Series(patches=tuple(series.parse(f"patch{number}", text) for number, text in enumerate(texts)))


def reader(**files: str) -> Callable[[str], bytes | None]:
    """Pristine files; ``kitchen`` stands for PATH."""
    content = {name.replace("kitchen", PATH): text.encode() for name, text in files.items()}
    return content.get


def new_file(path: str, text: str, *, rendered: bool = False) -> NewFile:
    return NewFile(path=path, template=f"opencode/{path}", content=text.encode(), rendered=rendered)


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_golden(case: str) -> None:
    """Each directory has a patch, the original file and the expected result."""
    folder = GOLDEN / case
    loaded = series.load(folder)
    target = loaded.patches[0].header.touches[0].path
    original = next(folder.glob("original.*")).read_bytes()
    expected = next(folder.glob("expected.*")).read_bytes()
    values = {"product": 'the "house" soup', "limit": "3"}
    change = compose(loaded, (), values, {target: original}.get)
    assert change.files[target].decode() == expected.decode()


def test_patches_of_one_file_build_on_each_other() -> None:
    second = patch_text(hunk("         Effect.tap(taste),\n+        Effect.tap(smell),\n", "serve"))
    change = compose(series_of(patch_text(TASTE), second), (), {}, reader(kitchen=KITCHEN))
    text = change.files[PATH].decode()
    assert "Effect.tap(taste),\n        Effect.tap(smell),\n        Effect.retry" in text
    assert [placement.patch for placement in change.placements] == ["patch0", "patch1"]


def test_variables_reach_patches_and_new_files() -> None:
    patch = patch_text(TASTE.replace("tap(taste)", "tap([= name | tojson =])"))
    file = new_file("src/taste.ts", "export const name = [= name | tojson =]\n", rendered=True)
    change = compose(series_of(patch), (file,), {"name": "so'up"}, reader(kitchen=KITCHEN))
    assert b'Effect.tap("so\'up"),' in change.files[PATH]
    assert change.files["src/taste.ts"] == b'export const name = "so\'up"\n'


def test_plain_new_files_go_in_byte_for_byte() -> None:
    content = b"\xff[= nothing =]\r\n{{ x }}"
    file = NewFile(path="a.bin", template="opencode/a.bin", content=content, rendered=False)
    assert compose(Series(patches=()), (file,), {}, reader()).files == {"a.bin": content}


def test_the_first_place_that_exists_is_used() -> None:
    patch = patch_text(TASTE, touches=f"{PATH} <- app/kitchen.ts <- kitchen.ts")
    pristine = {"app/kitchen.ts": KITCHEN.encode(), "kitchen.ts": b"other\n"}
    change = compose(series_of(patch), (), {}, pristine.get)
    assert list(change.files) == ["app/kitchen.ts"]
    assert change.placements[0].path == "app/kitchen.ts"


def test_the_error_for_a_missing_target_names_all_its_places() -> None:
    patch = patch_text(TASTE, touches=f"{PATH} <- app/kitchen.ts")
    with pytest.raises(PatchError) as caught:
        compose(series_of(patch), (), {}, reader())
    assert f"{PATH} is not in this release" in caught.value.what
    assert "app/kitchen.ts" in caught.value.why


def test_a_new_file_must_not_be_upstreams() -> None:
    with pytest.raises(PatchError, match=r"src/kitchen.ts already exists in this release"):
        compose(Series(patches=()), (new_file(PATH, ""),), {}, reader(kitchen=KITCHEN))


def test_a_target_that_is_not_text() -> None:
    with pytest.raises(PatchError, match="not UTF-8"):
        compose(series_of(patch_text(TASTE)), (), {}, {PATH: b"\xff\xfe"}.get)


def test_a_byte_order_mark_stays() -> None:
    change = compose(series_of(patch_text(TASTE)), (), {}, reader(kitchen="\ufeff" + KITCHEN))
    assert change.files[PATH].startswith(b"\xef\xbb\xbfimport")


def test_a_patch_that_is_upstream_already_changes_nothing() -> None:
    done = compose(series_of(patch_text(TASTE)), (), {}, reader(kitchen=KITCHEN)).files[PATH].decode()
    change = compose(series_of(patch_text(TASTE)), (), {}, reader(kitchen=done))
    assert change.files == {}
    assert change.placements[0].already


def test_a_misfit_shows_expected_found_and_the_next_command() -> None:
    changed = KITCHEN.replace("Effect.retry(policy),", "Effect.retry(plan),")
    with pytest.raises(MisfitError) as caught:
        compose(series_of(patch_text(TASTE)), (), {}, reader(kitchen=changed))
    message = str(caught.value)
    assert PATH in caught.value.what
    assert "serve" in caught.value.what
    assert "27 |         Effect.retry(policy)," in message
    assert "27 |         Effect.retry(plan)," in message
    assert "serve begins on line 20" in message
    assert "opencode-patcher patches show patch0" in caught.value.next_step
    assert caught.value.exit_code == PatchError.exit_code


def test_a_misfit_in_white_space_says_so() -> None:
    changed = KITCHEN.replace("        Effect.retry", "\t\tEffect.retry")
    with pytest.raises(MisfitError, match=r"only whitespace differs.*\n.*\\t\\tEffect"):
        compose(series_of(patch_text(TASTE)), (), {}, reader(kitchen=changed))


def test_a_misfit_without_similar_lines() -> None:
    with pytest.raises(MisfitError, match=r"(?s)Nothing in the file is similar.*There is no serve in the file"):
        compose(series_of(patch_text(TASTE)), (), {}, reader(kitchen="const a = 1\n"))


def test_the_error_for_an_ambiguous_heading_says_how_to_fix_it() -> None:
    with pytest.raises(MisfitError, match=r"(?s)line 49 \(serve\).*outer > serve"):
        compose(series_of(patch_text(TASTE)), (), {}, reader(kitchen=KITCHEN + "function serve() {\n}\n"))


def test_outcomes_give_misfits_as_data() -> None:
    patch = series.parse(
        "taste", HEADER + f"Touches: {PATH}\n src/gone.ts\n\n" + diff(TASTE) + diff(TASTE, "src/gone.ts")
    )
    here, gone = outcomes(patch, {}, reader(kitchen=KITCHEN.replace("policy", "plan")))
    assert here.placed is not None
    assert [misfit.reason.name for misfit in here.placed.misfits] == ["NOT_FOUND"]
    assert gone.path is None


def test_the_digest_depends_on_paths_and_contents_only() -> None:
    one = Change(files={"a": b"x", "b": b"y"})
    assert one.digest == Change(files={"b": b"y", "a": b"x"}).digest
    others = [
        {"a": b"x"},
        {"a": b"x", "b": b"z"},
        {"a": b"x", "c": b"y"},
        {"a": b"xb", "": b"y"},
        {"ab": b"x", "": b"y"},
    ]
    digests = {Change(files=files).digest for files in others} | {one.digest}
    assert len(digests) == len(others) + 1
    assert len(one.digest) == hashlib.sha256().digest_size * 2


def test_a_missing_directory_of_templates_is_not_treated_as_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(PatchError, match="The templates are missing"):
        newfiles.load(tmp_path)


def test_new_files_are_found_below_the_templates(tmp_path: Path) -> None:
    for name, text in {"a/b.ts": "b", "a/c.ts.j2": "c", "__pycache__/x.pyc": "", "a/.DS_Store": ""}.items():
        path = tmp_path / "opencode-1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "ci.yml").write_text("not for OpenCode")
    found = newfiles.load(tmp_path)
    assert [(file.path, file.rendered, file.content) for file in found] == [
        ("a/b.ts", False, b"b"),
        ("a/c.ts", True, b"c"),
    ]
    (tmp_path / "opencode-1" / "a" / "c.ts").write_text("again")
    with pytest.raises(PatchError, match=r"(?s)same file, a/c.ts.*c.ts.*c.ts.j2"):
        newfiles.load(tmp_path)


def test_tests_are_left_out_of_what_goes_into_a_binary(tmp_path: Path) -> None:
    root = tmp_path / "opencode-1" / "packages" / "opencode"
    for name in ("src/combined/turn.ts", "test/combined/turn.test.ts"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("export {}\n")
    found = newfiles.load(tmp_path)
    assert len(found) == 2
    assert [file.path for file in newfiles.without_tests(found)] == ["packages/opencode/src/combined/turn.ts"]


def test_a_linked_template_is_refused(tmp_path: Path) -> None:
    (tmp_path / "opencode-1").mkdir()
    (tmp_path / "opencode-1" / "link").symlink_to("/etc/passwd")
    with pytest.raises(PatchError, match="symbolic link"):
        newfiles.load(tmp_path)
