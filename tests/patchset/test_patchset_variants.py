"""One series for two states of upstream: hunks that only some releases get, and names that differ between releases."""

from __future__ import annotations

import re

import pytest

from opencode_patcher.base import resources
from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.line import OPENCODE_1, OPENCODE_2
from opencode_patcher.base.version import Release, Version
from opencode_patcher.patchset import series
from opencode_patcher.patchset.check import Checker, Content, PatchStatus, ReleaseCheck
from opencode_patcher.patchset.compose import compose
from opencode_patcher.patchset.parse import parse
from opencode_patcher.patchset.refresh import Edited, refreshed
from opencode_patcher.patchset.render import render_patch
from opencode_patcher.patchset.series import Patch, Series
from opencode_patcher.patchset.values import values_for, values_of

OLD, NEW = (1, 2, 0), (1, 3, 0)

SUMMER = {
    "kitchen.ts": 'export * as Kitchen from "./kitchen"\n\nfunction cook() {\n  heat()\n}\n',
    "waiter.ts": "function call() {\n  ring()\n}\n",
}
"""One file cooks, and another one calls the waiter."""

AUTUMN = {"kitchen.ts": 'export * as Kitchen from "./kitchen.js"\n\nfunction bake() {\n  heat()\n}\n'}
"""The function has another name, the module an ending, and nobody calls the waiter."""

PATCH = """\
Subject: Taste before serving
Why: Guests complain.
Obsolete-When: The kitchen tastes by itself.
Touches: kitchen.ts
  waiter.ts until v1.2.9
Hunks: kitchen.ts 2 until v1.2.9
  kitchen.ts 3 since v1.3.0

diff --git a/kitchen.ts b/kitchen.ts
--- a/kitchen.ts
+++ b/kitchen.ts
@@ -1,1 +1,2 @@
 export * as Kitchen from "./kitchen[= ending =]"
+const taste = (dish: string) => dish
@@ -4,1 +5,2 @@ cook
   heat()
+  taste("cooked")
@@ -4,1 +6,2 @@ bake
   heat()
+  taste("baked")
diff --git a/waiter.ts b/waiter.ts
--- a/waiter.ts
+++ b/waiter.ts
@@ -2,1 +2,2 @@ call
   ring()
+  call()
"""


def patch(text: str = PATCH) -> Patch:
    return series.parse("taste", text)


def patched(files: dict[str, str], version: Version | None, ending: str = "", *, text: str = PATCH) -> dict[str, str]:
    contents = {path: content.encode() for path, content in files.items()}
    change = compose(Series(patches=(patch(text),)), (), {"ending": ending}, contents.get, version=version)
    return {path: content.decode() for path, content in change.files.items()}


def checked(*releases: tuple[dict[str, str], Version, str]) -> list[ReleaseCheck]:
    checker = Checker(Series(patches=(patch(),)), (), lambda tag: {"ending": tag})

    def check(files: dict[str, str], version: Version, ending: str) -> ReleaseCheck:
        def read(path: str) -> Content | None:
            return Content(name=files[path], data=files[path].encode()) if path in files else None

        return checker.check(ending, version, read)

    return [check(*release) for release in releases]


def test_a_release_gets_its_own_hunks_and_those_for_all() -> None:
    old = patched(SUMMER, OLD)
    assert 'heat()\n  taste("cooked")\n' in old["kitchen.ts"]
    assert "ring()\n  call()" in old["waiter.ts"]
    new = patched(AUTUMN, NEW, ".js")
    assert 'heat()\n  taste("baked")\n' in new["kitchen.ts"]
    assert all("const taste" in files["kitchen.ts"] for files in (old, new))


def test_a_release_of_unknown_version_gets_the_newest_hunks() -> None:
    assert "baked" in patched(AUTUMN | {"waiter.ts": SUMMER["waiter.ts"]}, None, ".js")["kitchen.ts"]


def test_a_hunk_for_others_is_no_substitute() -> None:
    with pytest.raises(PatchError, match="cook"):
        patched(SUMMER | {"kitchen.ts": AUTUMN["kitchen.ts"]}, OLD, ".js")


def test_check_judges_each_release_by_its_own_hunks() -> None:
    old, new, again = checked((SUMMER, OLD, ""), (AUTUMN, NEW, ".js"), (SUMMER, OLD, ""))
    assert old.fits
    assert new.fits
    assert again == old
    assert [file.state.fits for file in old.patches[0].files] == [True, True]
    assert [at.hunk for at in old.patches[0].files[0].placements] == [1, 2]
    assert [at.hunk for at in new.patches[0].files[0].placements] == [1, 3]
    assert new.patches[0].files[1].state is PatchStatus.NOT_NEEDED


def test_the_same_contents_are_checked_anew_for_other_hunks() -> None:
    old, new = checked((SUMMER, OLD, ""), (SUMMER, NEW, ""))
    assert old.fits
    assert not new.fits
    assert "bake" in new.patches[0].files[0].explanation


def test_a_file_whose_hunks_are_all_for_others_is_left_alone() -> None:
    only = patch(PATCH.replace("kitchen.ts 2 until", "kitchen.ts 1-2 until"))
    contents = {path: text.encode() for path, text in SUMMER.items()}
    change = compose(Series(patches=(only,)), (), {"ending": ""}, contents.get, version=(1, 2, 5))
    assert set(change.files) == {"kitchen.ts", "waiter.ts"}
    none = patch(PATCH.replace("kitchen.ts 2 until v1.2.9", "kitchen.ts 1,2 until v1.1.0"))
    change = compose(Series(patches=(none,)), (), {"ending": ""}, contents.get, version=(1, 2, 5))
    assert set(change.files) == {"waiter.ts"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("kitchen.ts 2", "expected a path, numbers"),
        ("kitchen.ts two until v1.2.9", "expected a path, numbers"),
        ("kitchen.ts 2 until 1.2", "expected 'since TAG'"),
        ("kitchn.ts 2 until v1.2.9", "Touches does not. Did you mean"),
        ("kitchen.ts 2-3 until v1.2.9", "names hunk 3 of 'kitchen.ts' twice"),
        ("waiter.ts 2 until v1.2.9", "names hunk 2 of 'waiter.ts', which has 1"),
    ],
)
def test_an_entry_that_cannot_be_right_is_refused(written: str, expected: str) -> None:
    text = PATCH.replace("kitchen.ts 2 until v1.2.9", written, 1)

    def read() -> None:
        compose(Series(patches=(patch(text),)), (), {"ending": ""}, lambda _: None, version=OLD)

    with pytest.raises(PatchError, match=re.escape(expected)):
        read()


def test_refresh_keeps_hunks_for_other_releases() -> None:
    known = patch()
    [kitchen, _] = known.header.touches
    left_out = kitchen.left_out(OLD)
    after = patched(SUMMER, OLD)["kitchen.ts"]
    same = Edited(target=kitchen, path="kitchen.ts", before=SUMMER["kitchen.ts"], after=after, left_out=left_out)
    assert refreshed(known, [same], {"ending": ""}) == PATCH
    edited = Edited(
        target=kitchen,
        path="kitchen.ts",
        before=SUMMER["kitchen.ts"],
        after=after.replace("cooked", "well done"),
        left_out=left_out,
    )
    made = refreshed(known, [edited], {"ending": ""})
    assert patched(SUMMER, OLD, text=made)["kitchen.ts"] == edited.after
    assert patched(AUTUMN, NEW, ".js", text=made) == patched(AUTUMN, NEW, ".js")
    more = Edited(
        target=kitchen,
        path="kitchen.ts",
        before=SUMMER["kitchen.ts"],
        after=f"{after}// Ours.\n",
        left_out=left_out,
    )
    with pytest.raises(PatchError, match="cannot be updated automatically") as caught:
        refreshed(known, [more], {"ending": ""})
    assert "`Hunks`" in caught.value.why


def test_names_that_differ_between_releases_are_variables() -> None:
    def values(version: Version, tag: str) -> dict[str, str]:
        return values_for(OPENCODE_2, Release(version=version, tag=tag, commit="0" * 40))

    july, october = values((2, 0, 0), "v2.0.0-pre.20260720"), values((2, 0, 26), "v2.0.26")
    assert (july["combined"], july["ending"]) == ("@opencode-ai/core/combined", "")
    assert (october["combined"], october["ending"]) == ("@opencode/core/combined", ".js")
    assert july | values_of(OPENCODE_2, "v2.0.26") == october
    assert OPENCODE_2.at((2, 0, 26)).package_name == "@opencode/cli"
    assert OPENCODE_1.at((1, 18, 0)) is OPENCODE_1


@pytest.mark.parametrize(
    ("version", "tag", "left_out"),
    [
        ((2, 0, 0), "v2.0.0-pre.20260720", set()),
        ((2, 0, 26), "v2.0.26", {"own-command", "run", "tui", "wait-resume"}),
    ],
)
def test_the_series_of_opencode_2_has_hunks_for_both_states(version: Version, tag: str, left_out: set[str]) -> None:
    patches = series.load(resources.patches(OPENCODE_2)).patches
    for one in patches:
        hunks = {file.path: file for file in parse(one, render_patch(one.name, one.text, values_of(OPENCODE_2, tag)))}
        touched = [target for target in one.header.touches if target.releases.has(version)]
        left = [hunks[target.path].without(target.left_out(version)).hunks for target in touched]
        assert any(hunk for found in left for hunk in found) is (one.name not in left_out), one.name


def test_no_hunk_of_opencode_2_is_for_no_state_at_all() -> None:
    for one in series.load(resources.patches(OPENCODE_2)).patches:
        for target in one.header.touches:
            assert not target.left_out((2, 0, 0)) & target.left_out((2, 0, 26)), (one.name, target.path)
