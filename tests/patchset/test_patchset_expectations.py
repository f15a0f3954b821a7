"""What the feature relies on in upstream: read, compared, and distinguished from what only looks different."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher import drill
from opencode_patcher.base import resources
from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import expectations
from opencode_patcher.patchset.expectations import Expectation, Form, differences, digest, known_at, load, plain
from opencode_patcher.patchset.typescript.lexer import scan

LOOP = """\
const LIMIT = 2_000

export function loop(state: State) {
  while (true) {
    if (!["tool-calls"].includes(state.finish)) break
    ask(state, "a  b") // again
  }
}

class Editor {
  handle(event: Event) {
    switch (event.type) {
      case "status":
        return
      case "part": {
        return this.part(event)
      }
      default:
        return
    }
  }
}
"""


def expectation(*forms: Form, within: str = "loop", **more: object) -> Expectation:
    made = Expectation(
        name="sample",
        why="We rely on it.",
        look="loop.ts",
        places=("src/loop.ts",),
        within=tuple(within.split()),
        forms=forms,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def found(expected: Expectation, text: str = LOOP, path: str = "src/loop.ts") -> list[str]:
    """What differs, in words."""
    return [item.found for item in differences([expected], (1, 18, 3), {path: text.encode()}.get)]


V1 = (1, 0, 0)
FINISH = Form(since=V1, has=(r'\["tool-calls"\]\.includes\(state\.finish\)',))


def of_loop(text: str = LOOP) -> Form:
    (region,) = expectations._regions(text, ("loop",))
    return Form(since=V1, digest=digest(region.text))


def test_a_pattern_must_match() -> None:
    assert found(expectation(FINISH)) == []
    changed = LOOP.replace('["tool-calls"]', '["tool-calls", "unknown"]')
    assert found(expectation(FINISH), changed) == [r'it has no \["tool-calls"\]\.includes\(state\.finish\)']
    newer = Form(since=(1, 18, 21), has=(r'\["tool-calls","unknown"\]',))
    assert found(expectation(FINISH, newer), changed) == []


def test_a_lacking_pattern_must_not_match() -> None:
    assert found(expectation(Form(since=V1, lacks=("RETRIES",)), within="")) == []
    assert found(expectation(Form(since=V1, lacks=(r"LIMIT=2_000\b",)), within="")) == [r"it has LIMIT=2_000\b"]


def test_the_labels_of_a_switch() -> None:
    labels = frozenset({'case "status"', 'case "part"', "default"})
    assert found(expectation(Form(since=V1, labels=labels), within="handle")) == []
    more = LOOP.replace('      case "part"', '      case "idle":\n        return\n      case "part"')
    assert found(expectation(Form(since=V1, labels=labels), within="handle"), more) == ['it handles case "idle" now']
    fewer = LOOP.replace('      case "status":\n        return\n', "")
    assert found(expectation(Form(since=V1, labels=labels), within="handle"), fewer) == [
        'it no longer handles case "status"'
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("// again", "// and again"),
        ('ask(state, "a  b")', 'ask(\n      state,\n      "a  b",\n    )'),
        ("    if (", "    /* why */\n\n    if  ("),
        ("const LIMIT", "const OTHER = 1\nconst LIMIT"),
    ],
)
def test_layout_comments_and_other_functions_make_no_difference(old: str, new: str) -> None:
    assert old in LOOP
    assert found(expectation(of_loop()), LOOP.replace(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"), [("break", "continue"), ('"a  b"', '"a b"'), ("!", ""), ("ask(state", "ask(that")]
)
def test_any_other_change_of_the_function_does(old: str, new: str) -> None:
    [said] = found(expectation(of_loop()), LOOP.replace(old, new))
    assert said.startswith("it has changed (its digest is ")


def test_an_unproven_form_needs_a_look() -> None:
    unproven = replace(of_loop(), since=(1, 18, 2), unproven=True)
    [said] = found(expectation(Form(since=V1, has=("nothing",)), unproven))
    assert said == "it has the form known since v1.18.2; the whole drill has not passed with that yet"
    assert found(expectation(FINISH, unproven)) == []


def test_a_missing_function_or_file() -> None:
    assert found(expectation(FINISH, within="circle")) == ["there is no such function"]
    assert found(expectation(FINISH), LOOP + LOOP.replace("LIMIT", "OTHER")) == ["2 functions have that name"]
    assert found(expectation(FINISH), path="src/other.ts") == ["there is no such file"]
    assert found(expectation(FINISH, places=("src/new.ts", "src/loop.ts"))) == []


def test_only_releases_that_have_the_code_are_checked() -> None:
    assert found(expectation(FINISH, within="circle", since=(1, 18, 4))) == []
    assert found(expectation(FINISH, within="circle", until=(1, 18, 2))) == []
    assert found(expectation(FINISH, within="circle", since=(1, 18, 3), until=(1, 18, 3))) != []


def test_a_difference_says_what_why_and_where_to_look() -> None:
    (item,) = differences([expectation(FINISH, within="circle")], (1, 18, 3), {"src/loop.ts": LOOP.encode()}.get)
    assert str(item) == "sample (src/loop.ts, circle): there is no such function\nWe rely on it.\nLook at: loop.ts"


def test_the_forms_known_at_a_release() -> None:
    newer = Form(since=(1, 18, 21), has=("x",))
    later = expectation(newer, name="later")
    (kept,) = known_at([expectation(FINISH, newer), later], (1, 18, 3))
    assert kept.forms == (FINISH,)


def test_plain_text() -> None:
    assert plain(scan('f( a,  b, ) // c\n  return   "x  y" ;')) == 'f(a,b)return "x  y";'
    assert plain(scan("`a  ${ b }  c`")) == "`a  ${b}  c`"


GOOD = """\
[[expectation]]
name = "loop"
why = "It loops."
look = "loop.ts"
files = ["src/loop.ts"]
within = "loop"

[[expectation.form]]
since = "v1.0.0"
has = ['a\\[']
"""


def test_the_file(tmp_path: Path) -> None:
    assert load(tmp_path) == ()
    (tmp_path / "expectations.toml").write_text(GOOD)
    (item,) = load(tmp_path)
    assert (item.name, item.within, item.places) == ("loop", ("loop",), ("src/loop.ts",))
    assert item.forms == (Form(since=V1, has=("a\\[",)),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('why = "It loops."\n', "", "'why' has to be a text"),
        ("within =", "inside =", "'inside' is not a known key"),
        ('["src/loop.ts"]', '["/etc/passwd"]', "'files' has to be a list of paths"),
        ('["src/loop.ts"]', "[]", "'files' has to be a list of paths"),
        ('"v1.0.0"', '"1.0"', "'since' has to be a release tag"),
        ('since = "v1.0.0"\n', "", "'since' has to be a release tag"),
        ("has = ['a\\[']\n", "", "it says nothing about the code"),
        ("has =", "unproven = 1\nhas =", "'unproven' has to be true or false"),
        ("'a\\['", "'a['", "is not a pattern"),
        ("[[expectation.form]]", "[expectation.form]", "'form' has to be a list of tables"),
        ("[[expectation]]", "[expectation]", "'expectation' has to be a list of tables"),
        ('name = "loop"', "name = 7", "'name' has to be a text"),
        ('name = "loop"', "name = ", "cannot be read"),
    ],
)
def test_a_damaged_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    (tmp_path / "expectations.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(PatchError, match=r"expectations\.toml") as caught:
        load(tmp_path)
    assert said in f"{caught.value.what} {caught.value.why}"


def test_two_expectations_with_one_name(tmp_path: Path) -> None:
    (tmp_path / "expectations.toml").write_text(GOOD + GOOD)
    with pytest.raises(PatchError, match="two expectations are called 'loop'"):
        load(tmp_path)


def test_ours_name_existing_files_to_look_at() -> None:
    """A hint at a file of ours that was moved away leads nowhere."""
    ours = load(resources.patches())
    assert len(ours) > 15
    scenarios = {scenario.name for scenario in drill.select(())}
    templates = [path.as_posix() for path in resources.templates().rglob("*") if path.is_file()]
    for item in ours:
        named = [word.strip(".,:;") for word in item.look.split() if ".ts" in word or ".patch" in word or ".md" in word]
        assert named, item.name
        for word in named:
            root = resources.templates().parent
            assert (root / word).exists() or any(path.endswith((f"/{word}", f"/{word}.j2")) for path in templates), (
                item.name,
                word,
            )
        played = item.look.partition("drill: ")[2]
        assert set(played.split(", ")) - {""} <= scenarios, item.name
