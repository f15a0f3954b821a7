"""Attacks: the patches and templates of a fork are somebody else's text, and may be written to do harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import sandbox
from opencode_patcher.patchset.render import render_document, render_file, render_patch

VALUES = {"dish": "soup", "long": "x" * 5000}


def as_patch(text: str) -> str:
    return render_patch("taste", f"+{text}\n", VALUES)


def as_file(text: str) -> str:
    return render_file("opencode-1/a.ts.j2", f"{text}\n", VALUES)


def as_document(text: str) -> str:
    values = {**VALUES, "items": [{"name": "a", "keys": "mine"}], "entry": {"name": "b"}}
    return render_document("release/notes.j2", f"{text}\n", values, Path(__file__).parent)


KINDS = pytest.mark.parametrize("render", [as_patch, as_file, as_document])


@KINDS
@pytest.mark.parametrize(
    "attack",
    [
        "[= ''.__class__ =]",
        "[= dish.__class__.__mro__ =]",
        "[= dish['__class__'] =]",
        "[= dish | attr('__class__') =]",
        "[= [dish] | map(attribute='__class__') | join =]",
        "[= dish.__class__.__base__.__subclasses__() =]",
        "[= self =]",
        "[= self.__init__.__globals__ =]",
        "[= cycler.__init__.__globals__.os =]",
        "[= lipsum.__globals__ =]",
        "[% for a in dish %][= loop.__class__ =][% endfor %]",
        "[% for a in dish %][= loop._iterator =][% endfor %]",
        "[= '{0.__class__}'.format(dish) =]",
        "[= '{0.__class__}' | format(dish) =]",
        "[= '%s' % dish =]",
        "[% set x = dish.__class__ %]",
        "[% import 'os' as os %]",
        "[% from 'x' import y %]",
        "[% extends 'x' %]",
        "[% macro f() %][= caller() =][% endmacro %]",
        "[% call dish() %][% endcall %]",
        "[% filter upper %]a[% endfilter %]",
        "[% block a %][% endblock %]",
        "[= dish is callable =]",
        "[= dish.upper() =]",
        "[= open('/etc/passwd') =]",
    ],
)
def test_a_template_cannot_reach_python(render: Callable[[str], str], attack: str) -> None:
    with pytest.raises(PatchError) as caught:
        render(attack)
    assert "taste" in str(caught.value) or ".j2" in str(caught.value)


@KINDS
@pytest.mark.parametrize(
    "attack",
    [
        "[= 'x' * 10000000000 =]",
        "[= 9 ** 9 ** 9 ** 9 =]",
        "[= range(10000000000) | join =]",
        "[= dish | center(10000000000) =]",
        "[= dish | replace('', long) | replace('', long) =]",
        "[= dish | indent(1000000000) =]",
        "[= '%01000000000d' % 1 =]",
        "[= dish | wordwrap(1) =]",
        "[% for a in long recursive %][= loop(long) =][% endfor %]",
        "[% for a in long %][% for b in long %][% endfor %][% endfor %]",
        "[% for a in long %][% for b in long %][% for c in long %][% endfor %][% endfor %][% endfor %]",
        "[% for a in long %][= long =][% endfor %]",
        "[= long | join(long) | join(long) =]",
        "[% set x = dish %]" + "[% set x = x ~ x %]" * 60,
        "[% if " + "(" * 5000 + "dish" + ")" * 5000 + " %][% endif %]",
        "[% for a in dish %]" * 60 + "[% endfor %]" * 60,
    ],
)
def test_a_template_cannot_use_up_time_or_memory(render: Callable[[str], str], attack: str) -> None:
    with pytest.raises(PatchError):
        render(attack)


def test_the_result_is_bounded() -> None:
    template = "[= dish =]"
    assert len(render_file("a.ts.j2", template, {"dish": "x" * sandbox.MOST_CHARACTERS})) == sandbox.MOST_CHARACTERS
    with pytest.raises(PatchError, match="characters"):
        render_file("a.ts.j2", template, {"dish": "x" * (sandbox.MOST_CHARACTERS + 1)})


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    made = tmp_path / "release"
    (made / "install").mkdir(parents=True)
    (made / "install" / "part.j2").write_text("part of [= dish =]")
    (made / "link.j2").symlink_to(tmp_path / "secret.txt")
    (made / "install" / "way").symlink_to(tmp_path)
    return made


def test_a_file_of_the_directory_can_be_included(parts: Path) -> None:
    assert render_document("release/a.j2", "[% include 'install/part.j2' %]", {"dish": "it"}, parts) == "part of it"


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "install/../../secret.txt", "{parent}/secret.txt", "link.j2", "install/way/secret.txt", ""],
)
def test_no_file_outside_can_be_included(parts: Path, path: str) -> None:
    template = f"[% include '{path.format(parent=parts.parent)}' %]"
    with pytest.raises(PatchError):
        render_document("release/a.j2", template, {}, parts)


@pytest.mark.parametrize(
    "template",
    [
        "[% include dish %]",
        "[% include ['install/part.j2'] %]",
        "[% include 'install/part.j2' without context %]",
        "[% include 'install/none.j2' %]",
    ],
)
def test_other_ways_to_include_are_refused(parts: Path, template: str) -> None:
    with pytest.raises(PatchError):
        render_document("release/a.j2", template, {"dish": "install/part.j2"}, parts)


def test_a_part_has_to_follow_the_same_rules(parts: Path) -> None:
    for attack in ("[= dish.__class__ =]", "[= dish.upper() =]", "[= dish * 9 =]"):
        (parts / "install" / "part.j2").write_text(attack)
        with pytest.raises(PatchError):
            render_document("release/a.j2", "[% include 'install/part.j2' %]", {"dish": "it"}, parts)


def test_parts_that_include_each_other_are_stopped(parts: Path) -> None:
    (parts / "install" / "part.j2").write_text("[% include 'install/part.j2' %]")
    with pytest.raises(PatchError):
        render_document("release/a.j2", "[% include 'install/part.j2' %]", {"dish": ""}, parts)
    for number in range(30):
        (parts / "install" / f"{number}.j2").write_text(f"[% include 'install/{number + 1}.j2' %]" * 2)
    (parts / "install" / "30.j2").write_text("")
    with pytest.raises(PatchError, match="steps"):
        render_document("release/a.j2", "[% include 'install/0.j2' %]", {}, parts)


def test_a_new_file_includes_nothing() -> None:
    with pytest.raises(PatchError):
        as_file("[% include 'x' %]")


def test_values_are_text_and_never_templates() -> None:
    assert render_file("a.ts.j2", "[= dish =]", {"dish": "[= other =]"}) == "[= other =]"


def test_a_document_reads_plain_data_and_knows_the_first_and_last_loop_items() -> None:
    text = "[% for one in items %][= one.name =][= one.keys =][% if loop.first and loop.last %]![% endif %][% endfor %]"
    assert as_document(text) == "amine!"


def test_values_in_html_are_escaped(tmp_path: Path) -> None:
    value = {"dish": "<script>"}
    assert render_document("a.html.j2", "<p>[= dish =]</p>", value, tmp_path, escape=True) == "<p>&lt;script&gt;</p>"
    assert render_document("a.md.j2", "[= dish =]", value, tmp_path) == "<script>"
