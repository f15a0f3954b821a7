"""Splits an id into words: lower case, no punctuation, numbers and dates in one form.

``identity-scan.ts`` is the same in TypeScript; the two agree on every input. So nothing here depends on Unicode tables:
only ASCII letters have a case, and everything beyond ASCII counts as a letter. It takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_DECIMAL = re.compile(r"(?<=[0-9])[p_](?=[0-9])")
_RUN = re.compile(r"[0-9]+(?:\.[0-9]+)*|[a-z\u0080-\U0010ffff]+|[\x00-/:-`{-\x7f]+")
_SINGLE_VERSION = re.compile(r"[a-z][0-9]\Z")
_VERSIONED = re.compile(r"[vmkl][0-9][0-9]\Z")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")
_ZERO = re.compile(r"([a-z]?[0-9]+)\.0\Z")
_MONTHS = {
    name: f"{number:02}"
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "",
            "april apr",
            "",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
"""March and May are left out: both are ordinary words."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """``words`` in their order, without the ``stamp``.

    A stamp is ``YYYYMMDD``, ``YYYYMM``, ``MMDD``, ``MM``, a three-digit revision such as ``001``, or empty.
    """

    words: tuple[str, ...]
    stamp: str


def lower(text: str) -> str:
    """``text`` with A-Z in lower case and everything else unchanged."""
    return text.translate(_LOWER)


def squash(text: str) -> str:
    """``text`` without ASCII punctuation, as used to look up vendor names."""
    return "".join(run for run in _RUN.findall(lower(text)) if not _is_separator(run)).replace(".", "")


def scan(text: str, whole: Container[str]) -> Scan:
    """Words and stamp of ``text``, which is in lower case. Words in ``whole`` are never split."""
    return _numbers(_atoms(_DECIMAL.sub(".", text), whole))


def is_number(word: str) -> bool:
    """Whether it is digits, possibly with dots between them."""
    return _NUMBER.match(word) is not None


def is_digits(word: str) -> bool:
    return word != "" and all("0" <= letter <= "9" for letter in word)


def order(text: str) -> bytes:
    """A sort key for the order of JavaScript's ``<``: by UTF-16 code units."""
    return text.encode("utf-16-be", "surrogatepass")


def _is_separator(run: str) -> bool:
    first = run[0]
    return first <= "\x7f" and not ("a" <= first <= "z" or "0" <= first <= "9")


def _atoms(text: str, whole: Container[str]) -> list[str]:
    """Split at punctuation, and between a number and a word of two or more letters: qwen3 is two words, k2 one."""
    words: list[str] = []
    runs: list[str] = []
    for run in (*_RUN.findall(text), "-"):
        if not _is_separator(run):
            runs.append(run)
            continue
        if not runs:
            continue
        atom = "".join(runs)
        if len(runs) == 1 or atom in whole:
            words.append(atom)
        else:
            _cut(runs, words)
        runs = []
    return words


def _cut(runs: list[str], words: list[str]) -> None:
    """Numbers and letters alternate in ``runs``. Only a single letter stays with the number beside it."""
    pieces = [runs[0]]
    for previous, run in pairwise(runs):
        letters = previous if "0" <= run[0] <= "9" else run
        if not (len(letters) == 1 and "a" <= letters <= "z"):
            words.append("".join(pieces))
            pieces = []
        pieces.append(run)
    words.append("".join(pieces))


def _numbers(atoms: list[str]) -> Scan:
    """Join versions (4-5), split compact ones (52), take out the first stamp."""
    words: list[str] = []
    stamp = ""
    index = 0
    count = len(atoms)
    while index < count:
        word = atoms[index]
        following = atoms[index + 1] if index + 1 < count else ""
        third = atoms[index + 2] if index + 2 < count else ""
        # 1024 after "thinking" is a budget in tokens, not October 24th.
        budget = word == "1024" and bool(words) and words[-1] in ("thinking", "think")
        found, used = ("", 0) if stamp or budget else _stamp(word, following, third)
        if used and (words or index + used < count):
            stamp = found
            index += used
            continue
        if word == "v" and is_number(following):
            atoms[index + 1] = "v" + following
            index += 1
            continue
        if (_minor(word, 2) or _SINGLE_VERSION.match(word)) and _minor(following, 2 if is_digits(word) else 1):
            words.append(_plain(f"{word}.{following}"))
            index += 2
            continue
        words.append(_plain(_expand(word)))
        index += 1
    return Scan(words=tuple(words), stamp=stamp)


def _minor(word: str, digits: int) -> bool:
    """A part of a version: up to ``digits`` digits, and no leading zero that would make it part of a date."""
    return len(word) <= digits and is_digits(word) and (len(word) == 1 or word[0] != "0")


def _expand(word: str) -> str:
    """52 is 5.2 and m25 is m2.5: no generation has reached ten."""
    if len(word) == 2 and is_digits(word) and word[0] != "0":
        return f"{word[0]}.{word[1]}"
    if _VERSIONED.match(word):
        return f"{word[:2]}.{word[2]}"
    return word


def _plain(word: str) -> str:
    match = _ZERO.match(word)
    return match.group(1) if match else word


def _stamp(word: str, following: str, third: str) -> tuple[str, int]:
    """The stamp that begins with ``word`` and the number of words that it takes, or ("", 0)."""
    if not is_digits(word):
        return (_MONTHS[word], 1) if word in _MONTHS else ("", 0)
    size = len(word)
    if size == 8 and _year(word[:4]) and _month(word[4:6]) and _day(word[6:]):
        return word, 1
    if size == 6 and _year("20" + word[:2]) and _month(word[2:4]) and _day(word[4:]):
        return "20" + word, 1
    if size == 4:
        if _year(word) and _month(following):
            return (word + following + third, 3) if _day(third) else (word + following, 2)
        if _year("20" + word[:2]) and _month(word[2:]):
            return "20" + word, 1
        if _month(word[:2]) and _day(word[2:]):
            return word, 1
    if size == 3 and word[0] == "0":
        return word, 1
    if size == 2 and _month(word):
        if _year(following):
            return following + word, 2
        if _day(following):
            return word + following, 2
    return "", 0


def _year(text: str) -> bool:
    return len(text) == 4 and is_digits(text) and "2020" <= text <= "2039"


def _month(text: str) -> bool:
    return len(text) == 2 and is_digits(text) and "01" <= text <= "12"


def _day(text: str) -> bool:
    return len(text) == 2 and is_digits(text) and "01" <= text <= "31"
