"""A small lexer for TypeScript and TSX: what is code, what is text, and which brackets belong together.

It knows comments, strings, (nested) template literals, regular expressions and brackets, but no grammar. Text between
JSX tags is read as code. That is harmless as long as its brackets are balanced; a file where they are not is reported
in ``Source.problem`` instead of being misread.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
"""File names that this lexer is meant for."""

FILLER = "\x00"
"""Replaces each character of a string or template in ``Source.code``, so that offsets stay the same."""

_INTERESTING = re.compile(r"[`'\"/{}()\[\]]")
_STRINGS = {
    '"': re.compile(r'"(?:[^"\\\n]|\\.|\\\n)*"'),
    "'": re.compile(r"'(?:[^'\\\n]|\\.|\\\n)*'"),
}
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[A-Za-z]*")
_TEMPLATE_END = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
_NOT_LINE_END = re.compile(r"[^\r\n]")
_WORD_BEFORE = re.compile(r"[\w$]+\Z")
_BEFORE_REGEX = frozenset(
    {
        "await",
        "case",
        "delete",
        "do",
        "else",
        "in",
        "instanceof",
        "new",
        "of",
        "return",
        "throw",
        "typeof",
        "void",
        "yield",
    }
)
"""Keywords after which ``/`` starts a regular expression; after any other word it divides."""
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file as the lexer sees it.

    ``code`` has the length of ``text``: comments are blanks, the inside of strings, templates and regular expressions
    is ``FILLER``. ``starts`` are the offsets of the lines. ``texts`` are the spans ``(start, end, kind)`` of block
    comments, strings and template text. ``partner`` maps the offset of each bracket to that of its counterpart.
    ``problem`` says why the structure cannot be trusted, or is empty.
    """

    text: str
    code: str
    starts: tuple[int, ...]
    texts: tuple[tuple[int, int, str], ...]
    partner: dict[int, int]
    problem: str

    def line_of(self, offset: int) -> int:
        """The index (from 0) of the line that holds ``offset``."""
        return bisect_right(self.starts, offset) - 1

    def code_line(self, line: int) -> str:
        """One line of ``code`` without its newline."""
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.code)
        return self.code[self.starts[line] : end].rstrip("\r\n")

    def text_around(self, line: int) -> str:
        """The kind of text in which the line starts: comment, string or template literal; "" for code."""
        offset = self.starts[line]
        index = bisect_right(self.texts, (offset, -1, "")) - 1
        if index < 0:
            return ""
        start, end, kind = self.texts[index]
        return kind if start < offset < end else ""


def scan(text: str) -> Source:
    """Read a whole file. Never raises; see ``Source.problem``."""
    return _Scanner(text).run()


class _Scanner:
    """The state of one ``scan``: pieces of ``code`` made so far, open brackets, spans of text.

    Between ``taken`` and ``position`` is code that is in no piece yet.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = self.taken = 0
        self.pieces: list[str] = []
        self.open: list[tuple[str, int]] = []
        self.texts: list[tuple[int, int, str]] = []
        self.partner: dict[int, int] = {}
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        if self.starts[-1] == len(text) and len(self.starts) > 1:
            self.starts.pop()
        self.problem = ""

    def run(self) -> Source:
        search = _INTERESTING.search
        while not self.problem and (match := search(self.text, self.position)):
            self.position = match.start()
            character = match.group()
            if character == "/":
                self.slash()
            elif character in _STRINGS:
                self.string(character)
            elif character == "`":
                self.position += 1
                self.template()
            else:
                self.bracket(character)
        self.pieces.append(self.text[self.taken :])
        if not self.problem and self.open:
            character, offset = self.open[-1]
            self.fail(f"'{character}' is never closed", offset)
        return Source(
            text=self.text,
            code="".join(self.pieces),
            starts=tuple(self.starts),
            texts=tuple(self.texts),
            partner=self.partner,
            problem=self.problem,
        )

    def fail(self, what: str, offset: int) -> None:
        self.problem = f"line {bisect_right(self.starts, offset)}: {what}"

    def hide(self, end: int, filler: str) -> None:
        """Add the text before ``position`` to ``code`` as it is, and the text up to ``end`` as filler."""
        hidden = _NOT_LINE_END.sub(filler, self.text[self.position : end])
        self.pieces += (self.text[self.taken : self.position], hidden)
        self.position = self.taken = end

    def slash(self) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        if following == "/":
            end = self.text.find("\n", self.position)
            self.hide(len(self.text) if end < 0 else end, " ")
            return
        if following == "*":
            start = self.position
            end = self.text.find("*/", start + 2)
            if end < 0:
                self.fail("a comment is never closed", start)
                end = len(self.text) - 2
            self.texts.append((start, end + 2, "comment"))
            self.hide(end + 2, " ")
            return
        match = _REGEX.match(self.text, self.position) if self.regex_may_start(following) else None
        self.position += 1
        if match is not None:
            self.hide(match.end() - 1, FILLER)
            self.position = match.end()

    def regex_may_start(self, following: str) -> bool:
        if following == ">":  # the end of <tag/>
            return False
        before = self.code_before()
        if not before or before[-1] in "([{,;=:!&|?+-*%^~":
            return True
        if before.endswith("=>"):
            return True
        word = _WORD_BEFORE.search(before)
        return word is not None and word.group() in _BEFORE_REGEX

    def code_before(self) -> str:
        """The last bit of code before the position, without blanks; enough to recognise a keyword."""
        tail = self.text[self.taken : self.position][-200:]
        for piece in reversed(self.pieces):
            if len(tail.strip()) > 12:
                break
            tail = piece + tail
        return tail.rstrip()

    def string(self, quote: str) -> None:
        match = _STRINGS[quote].match(self.text, self.position)
        self.position += 1
        if match is None:  # an apostrophe in JSX text
            return
        self.texts.append((match.start(), match.end(), "string"))
        self.hide(match.end() - 1, FILLER)
        self.position = match.end()

    def template(self) -> None:
        """Hide template text up to the closing backtick or to ``${``, where code starts again."""
        start = self.position
        match = _TEMPLATE_END.match(self.text, start)
        if match is None:
            self.fail("a template literal is never closed", start)
            return
        closing = 1 if match.group().endswith("`") else 2
        self.texts.append((start - 1, match.end() - closing + 1, "template literal"))
        self.hide(match.end() - closing, FILLER)
        self.position = match.end()
        if closing == 2:
            self.open.append(("${", match.end() - 1))

    def bracket(self, character: str) -> None:
        offset = self.position
        self.position += 1
        if character not in _PAIRS:
            self.open.append((character, offset))
            return
        if not self.open or self.open[-1][0][-1] != _PAIRS[character]:
            self.fail(f"'{character}' closes nothing", offset)
            return
        opener, opened_at = self.open.pop()
        self.partner[opened_at] = offset
        self.partner[offset] = opened_at
        if opener == "${":
            self.template()
