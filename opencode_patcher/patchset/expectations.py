"""Upstream code that the feature relies on without patching it: named, with a reason, and checked in each release.
Pure.

That a hunk has a place proves nothing about the code around it. An expectation names an upstream function (or file),
the forms of it that the feature was made for, and what to look at when a release has another one. They are beside the
patches in ``expectations.toml``; ``docs/patches.md`` describes the file.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.version import Version, parse_tag, tag_of
from opencode_patcher.patchset import paths
from opencode_patcher.patchset.place import read_source
from opencode_patcher.patchset.typescript.blocks import Blocks
from opencode_patcher.patchset.typescript.lexer import FILLER, Source
from opencode_patcher.patchset.typescript.outline import SEPARATOR

EXPECTATIONS_FILE = "expectations.toml"
DIGITS = 16
"""Hexadecimal digits of a digest: 64 bits tell the forms of one function apart."""

Read = Callable[[str], bytes | None]
"""Gives a file of the pristine release by its path in the repository; None when there is none."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form of the code that the feature works with; everything that is given has to hold.

    ``has`` and ``lacks`` are patterns searched for in the plain text (see ``plain``). ``labels`` are those of the
    function's switch, ``digest`` is that of the whole plain text. ``since`` is the first release that has the form;
    earlier releases do not know it. ``unproven`` forms are known, but the whole drill has not passed with them yet:
    somebody still has to look at them.
    """

    since: Version
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    labels: frozenset[str] | None = None
    digest: str = ""
    unproven: bool = False


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """``why`` says what relies on it, ``look`` what to look at when a release differs.

    ``places`` are the paths of the file, newest first. ``within`` names a function, as a hunk's heading does; () is the
    whole file. Releases before ``since`` and after ``until`` do not have the code and are not checked.
    """

    name: str
    why: str
    look: str
    places: tuple[str, ...]
    within: tuple[str, ...]
    forms: tuple[Form, ...]
    since: Version | None = None
    until: Version | None = None

    def concerns(self, version: Version) -> bool:
        """Whether releases of that version have the code."""
        return not (self.since and version < self.since) and not (self.until and version > self.until)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A release without the expected code. ``place`` is the file and the function, ``found`` says what is there."""

    expectation: Expectation
    place: str
    found: str

    def __str__(self) -> str:
        what = self.expectation
        return f"{what.name} ({self.place}): {self.found}\n{what.why}\nLook at: {what.look}"


def load(patches_dir: Path) -> tuple[Expectation, ...]:
    """Read the expectations beside a series; none when there is no such file.

    Raises PatchError, naming the entry and the key, for a file that is damaged or has unknown entries.
    """
    path = patches_dir / EXPECTATIONS_FILE
    if not path.is_file():
        return ()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PatchError(f"{path} cannot be read.", why=f"{error}.") from error
    entries = _Table(path, "the file", data).tables("expectation")
    found = tuple(_expectation(entry) for entry in entries)
    for name in (item.name for item in found):
        if sum(item.name == name for item in found) > 1:
            raise PatchError(f"{path}: two expectations are called '{name}'.")
    return found


def known_at(expectations: Sequence[Expectation], version: Version) -> tuple[Expectation, ...]:
    """The expectations as known at a release: without forms that came later."""
    kept = [
        replace(item, forms=tuple(form for form in item.forms if form.since <= version))
        for item in expectations
        if item.since is None or item.since <= version
    ]
    return tuple(item for item in kept if item.forms)


def places(expectations: Sequence[Expectation]) -> frozenset[str]:
    """Every path at which a release may have a file that an expectation is about."""
    return frozenset(path for item in expectations for path in item.places)


def differences(expectations: Sequence[Expectation], version: Version, read: Read) -> tuple[Difference, ...]:
    """Where a release differs from what is expected, in the order of the file."""
    found = (_difference(item, read) for item in expectations if item.concerns(version))
    return tuple(item for item in found if item is not None)


def plain(source: Source, start: int = 0, end: int | None = None) -> str:
    """Code without anything that formatting or comments change: no comments, one space where words need it, no trailing
    commas. Strings stay as they are.
    """
    stop = len(source.text) if end is None else end
    pieces: list[str] = []
    for match in _PIECE.finditer(source.code, start, stop):
        if match.group().startswith(FILLER):
            pieces.append(source.text[match.start() : match.end()])
        else:
            pieces.append(_BLANKS.sub(" ", _AROUND_SIGN.sub(r"\1", _COMMA_AT_END.sub("", match.group()))))
    return "".join(pieces).strip()


_PIECE = re.compile(f"{FILLER}+|[^{FILLER}]+")
_AROUND_SIGN = re.compile(r"\s*([^\w\s$#@\"'`/])\s*")
_COMMA_AT_END = re.compile(r",\s*(?=[)\]}])")
_BLANKS = re.compile(r"\s+")


def digest(text: str) -> str:
    """The digest of a plain text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:DIGITS]


@dataclass(frozen=True, kw_only=True)
class _Region:
    """The code that an expectation is about."""

    text: str
    labels: frozenset[str]


def _difference(item: Expectation, read: Read) -> Difference | None:
    path, content = next(((path, content) for path in item.places if (content := read(path)) is not None), (None, b""))
    if path is None:
        return Difference(expectation=item, place=item.places[0], found="there is no such file")
    function = SEPARATOR.join(item.within)
    place = f"{path}, {function}" if function else path
    regions = _regions(content.decode("utf-8", "replace"), item.within)
    if len(regions) != 1:
        found = "there is no such function" if not regions else f"{len(regions)} functions have that name"
        return Difference(expectation=item, place=place, found=found)
    fitting = [form for form in item.forms if _fits(form, regions[0])]
    if any(not form.unproven for form in fitting):
        return None
    if fitting:
        found = f"it has the form known since {tag_of(fitting[0].since)}; the whole drill has not passed with that yet"
        return Difference(expectation=item, place=place, found=found)
    return Difference(expectation=item, place=place, found=_found(item.forms[-1], regions[0]))


def _fits(form: Form, region: _Region) -> bool:
    return (
        all(re.search(pattern, region.text) for pattern in form.has)
        and not any(re.search(pattern, region.text) for pattern in form.lacks)
        and (form.labels is None or form.labels == region.labels)
        and (not form.digest or form.digest == digest(region.text))
    )


def _found(form: Form, region: _Region) -> str:
    """What differs from the newest form."""
    said: list[str] = []
    said += [f"it has no {pattern}" for pattern in form.has if not re.search(pattern, region.text)]
    said += [f"it has {pattern}" for pattern in form.lacks if re.search(pattern, region.text)]
    if form.labels is not None and form.labels != region.labels:
        more, less = sorted(region.labels - form.labels), sorted(form.labels - region.labels)
        said += [f"it handles {label} now" for label in more] + [f"it no longer handles {label}" for label in less]
    if form.digest and form.digest != digest(region.text):
        said.append(f"it has changed (its digest is {digest(region.text)})")
    return "; ".join(said)


@lru_cache(maxsize=256)
def _regions(text: str, within: tuple[str, ...]) -> tuple[_Region, ...]:
    """The function of that name, or each of them; the whole file for ()."""
    source, outline = read_source(text)
    if not within:
        return (_Region(text=plain(source), labels=frozenset()),)
    if outline is None:
        return ()
    return tuple(_region(source, start, end) for start, end in outline.extents(within))


def _region(source: Source, start: int, end: int) -> _Region:
    blocks = Blocks(source)
    openers = [
        opener
        for opener, closer in source.partner.items()
        if start <= opener < closer <= end and source.code[opener] == "{" and blocks.is_switch(opener)
    ]
    labels = {item.label for opener in openers[:1] for item in blocks.statements(opener) if item.label}
    return _Region(text=plain(source, start, end), labels=frozenset(labels))


class _Table:
    """One table of the file, read key by key; says where a wrong value stands."""

    def __init__(self, path: Path, where: str, data: Mapping[str, Any]) -> None:
        self.path = path
        self.where = where
        self.data = dict(data)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.data.pop(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.wrong(key, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def version(self, key: str) -> Version | None:
        value = self.text(key, "")
        if not value:
            return None
        if (version := parse_tag(value)) is None:
            raise self.wrong(key, "a release tag such as v1.18.3")
        return version

    def flag(self, key: str) -> bool:
        value = self.data.pop(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def tables(self, key: str) -> Iterator[_Table]:
        value = self.data.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            raise self.wrong(key, "a list of tables")
        self.end()
        for number, table in enumerate(value, 1):
            yield _Table(self.path, f"{key} {table.get('name', number)}", table)

    def end(self) -> None:
        if self.data:
            raise PatchError(f"{self.path}, {self.where}: '{next(iter(self.data))}' is not a known key.")

    def wrong(self, key: str, wanted: str) -> PatchError:
        return PatchError(f"{self.path}, {self.where}: '{key}' has to be {wanted}.")


def _expectation(table: _Table) -> Expectation:
    read = {"name": table.text("name"), "why": table.text("why"), "look": table.text("look")}
    files = table.texts("files")
    if not files or any(paths.problem(path) for path in files):
        raise table.wrong("files", "a list of paths in the repository")
    within = table.text("within", "")
    since, until = table.version("since"), table.version("until")
    forms = tuple(_form(form) for form in table.tables("form"))
    if not forms:
        raise table.wrong("form", "a list of tables")
    return Expectation(
        **{key: " ".join(text.split()) for key, text in read.items()},
        places=files,
        within=tuple(within.split(SEPARATOR)) if within else (),
        forms=forms,
        since=since,
        until=until,
    )


def _form(table: _Table) -> Form:
    since = table.version("since")
    if since is None:
        raise table.wrong("since", "a release tag such as v1.18.3")
    has, lacks, labels = table.texts("has"), table.texts("lacks"), table.texts("labels")
    sha, unproven = table.text("digest", ""), table.flag("unproven")
    table.end()
    for pattern in (*has, *lacks):
        try:
            re.compile(pattern)
        except re.error as error:
            raise PatchError(f"{table.path}, {table.where}: '{pattern}' is not a pattern: {error}.") from error
    if not (has or lacks or labels or sha):
        raise PatchError(f"{table.path}, {table.where}: it says nothing about the code (has, lacks, labels, digest).")
    return Form(
        since=since, has=has, lacks=lacks, labels=frozenset(labels) if labels else None, digest=sha, unproven=unproven
    )
