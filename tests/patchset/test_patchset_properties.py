"""For any edit elsewhere the result is exactly the intended one, or a refusal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opencode_patcher.patchset.typescript.lexer import scan
from opencode_patcher.patchset.typescript.outline import Outline
from tests.patchset.patchset_samples import KITCHEN, TASTE, hunk, placed

MARK = "@@target@@"
RETRY = "        Effect.retry(policy),\n"
ADDED = "        Effect.tap(taste),\n"
MARKED = KITCHEN.replace(RETRY, MARK + "\n")
LINES = MARKED.splitlines(keepends=True)
TARGET = LINES.index(MARK + "\n")

snippets = st.sampled_from(
    [
        RETRY,
        ADDED,
        "x()\n",
        "{\n",
        "}\n",
        "  )\n",
        "/*\n",
        "*/\n",
        "// it's\n",
        "`\n",
        "${\n",
        '"\n',
        "\n",
        "\t\n",
        "    const serve = other(function* () {\n",
        "    const serve = 1\n",
        "function serve() {\n",
        "const bring = () => {\n",
        "    })\n",
        'case "serve": {\n',
        "/[`{(]/\n",
        "      return yield* carry(plate).pipe(\n",
    ]
)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, len(LINES)), snippets),
        st.tuples(st.just("delete"), st.integers(0, len(LINES) - 1), st.just("")),
        st.tuples(st.just("replace"), st.integers(0, len(LINES) - 1), snippets),
        st.tuples(st.just("copy"), st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1).map(str)),
    ),
    max_size=6,
)


def edited(changes: list[tuple[str, int, str]]) -> list[str]:
    """The kitchen after edits that leave its one marked line alone; copies carry the plain line, not the mark."""
    lines = list(LINES)
    for kind, position, text in changes:
        at = position % (len(lines) + 1)
        if kind == "insert":
            lines.insert(at, text)
        elif kind == "copy":
            block = lines[int(text) % len(lines) :][:8]
            lines[at:at] = [RETRY if line.startswith(MARK) else line for line in block]
        elif at < len(lines) and not lines[at].startswith(MARK):
            lines[at : at + 1] = [text] if kind == "replace" else []
    return lines


@given(edits, st.booleans())
def test_exactly_the_intended_edit_or_a_refusal(changes: list[tuple[str, int, str]], crlf: bool) -> None:
    marked = "".join(edited(changes))
    text = marked.replace(MARK + "\n", RETRY)
    intended = marked.replace(MARK + "\n", ADDED + RETRY)
    if crlf:
        text, intended = text.replace("\n", "\r\n"), intended.replace("\n", "\r\n")
    outcome = placed(text, TASTE)
    if outcome.misfits:
        assert outcome.text == text
    elif outcome.text != intended:
        # The edits may have made another line the only one in `serve`, or put the result there themselves.
        (placement,) = outcome.placements
        assert placement.function.split(" > ")[-1] == "serve"
        assert not stands_in(text, marked, "serve")
        assert placement.already or outcome.text.count("tap(taste)") == text.count("tap(taste)") + 1


def stands_in(text: str, marked: str, function: str) -> bool:
    """Whether the marked line itself is code inside ``function``, with no inserted result right before it."""
    line = marked[: marked.index(MARK)].count("\n")
    source = scan(text)
    found = Outline(source).enclosing(source.starts[line])
    before = marked.splitlines()[line - 1] + "\n"
    return found is not None and found.path[-1] == function and not source.text_around(line) and before != ADDED


PLACES = [0, LINES.index("type Dish = {\n"), LINES.index("      yield* oven.heat(180)\n"), len(LINES) - 1]
"""Where a whole statement can be: at the top level, or first in another function."""
STATEMENTS = ["// note: it's\n", "x()\n", "\n", "const y = { a: [1, (2)] }\n", "const z = `${a}(`\n"]


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(STATEMENTS)), max_size=30))
def test_statements_elsewhere_never_matter(extra: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for place, statement in sorted(extra, reverse=True):
        lines.insert(place, statement)
    marked = "".join(lines)
    outcome = placed(marked.replace(MARK + "\n", RETRY), TASTE)
    assert outcome.misfits == ()
    assert outcome.text == marked.replace(MARK + "\n", ADDED + RETRY)


@given(st.text(alphabet="ab{}()[]`'\"/\\$*\n\r<>=;, ", max_size=80))
def test_the_lexer_reads_anything(text: str) -> None:
    source = scan(text)
    assert len(source.code) == len(text)
    if not source.problem:
        assert all(source.partner[other] == one for one, other in source.partner.items())
        outline = Outline(source)
        for offset in range(len(text) + 1):
            outline.enclosing(offset)


@given(st.text(alphabet="ab{ \n\r\t", max_size=60))
def test_a_text_without_the_lines_of_the_hunk_is_never_touched(text: str) -> None:
    outcome = placed(text, hunk(" zz\n+added\n"))
    assert outcome.misfits
    assert outcome.text == text
