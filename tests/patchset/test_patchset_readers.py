"""Files that somebody else may have written are read or refused with a reason, whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from opencode_patcher.base import documents
from opencode_patcher.base.documents import DocumentError, Format
from opencode_patcher.base.errors import PatcherError, PatchError
from opencode_patcher.patchset import expectations, series
from opencode_patcher.patchset.parse import parse
from opencode_patcher.patchset.render import render_patch
from tests.patchset.patchset_samples import TASTE, hunk, patch_text

PIECES = [
    "\n", " ", "+", "-", "@@ -1,1 +1,2 @@", "diff --git a/src/kitchen.ts b/src/kitchen.ts", "--- a/x", "+++ b/x",
    "Touches: ", "Subject: x", "[= a =]", "[%", "%]", "[#", "\\ No newline at end of file", "rename from a", "é", "\r",
    "\x00", "{", "[[expectation]]", 'name = "a"', "since = ", "[[expectation.form]]", "'", '"', "=", "has = ['(']",
]  # fmt: skip
BROKEN = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)
edits = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 6), BROKEN), min_size=1, max_size=4)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def edited(text: str, changes: list[tuple[int, int, str]]) -> str:
    for at, length, piece in changes:
        at %= len(text) + 1
        text = text[:at] + piece + text[at + length :]
    return text


def refusal(read: Callable[[], object], kind: type[Exception]) -> Exception | None:
    """The error of that kind with which a text is refused; None when it is read."""
    try:
        read()
    except kind as error:
        event("refused")
        return error
    event("read")
    return None


GOOD_PATCH = patch_text(TASTE, hunk("+import x\n export * as Kitchens\n"))


@given(edits)
@example([(0, 0, "")])
def test_a_patch_is_read_or_refused(changes: list[tuple[int, int, str]]) -> None:
    text = edited(GOOD_PATCH, changes)

    def read() -> None:
        patch = series.parse("sample", text)
        parse(patch, render_patch(patch.name, patch.text, {"a": "b"}))

    error = refusal(read, PatchError)
    assert error is None or str(error)


EXPECTATION = """\
[[expectation]]
name = "loop"
why = "It loops."
look = "loop.ts"
files = ["src/loop.ts"]

[[expectation.form]]
since = "v1.0.0"
has = ['a']
"""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits)
def test_expectations_are_read_or_refused(tmp_path: Path, changes: list[tuple[int, int, str]]) -> None:
    file = tmp_path / expectations.EXPECTATIONS_FILE
    file.write_text(edited(EXPECTATION, changes), encoding="utf-8", errors="surrogatepass")
    error = refusal(lambda: expectations.load(tmp_path), PatchError)
    assert error is None or str(file) in str(error)


@given(st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("shape", [dict[str, object], list[int], object])
def test_a_document_is_read_or_refused(shape: type[object], data: bytes) -> None:
    error = refusal(lambda: documents.parse(data, shape, format=Format(1)), DocumentError)
    assert error is None or str(error).endswith(".")
    assert not isinstance(error, PatcherError)
