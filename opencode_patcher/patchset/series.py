"""The series: which patches there are, in which order, and what their headers say.

``patches/series`` names one patch per line (``#`` starts a comment); the patch NAME is in ``patches/NAME.patch``: a
header of ``Key: value`` lines, then a unified diff. ``docs/patches.md`` describes the format for those who write one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.text import did_you_mean
from opencode_patcher.base.version import Range, Version, parse_tag
from opencode_patcher.patchset import hints, paths

SERIES_FILE = "series"
SUFFIX = ".patch"
MOVED_FROM = " <- "
"""Separates a path in ``Touches`` from the older places of the same file."""

KEYS = ("Subject", "Why", "Obsolete-When", "Touches")
"""The keys that a header must have."""

RELEASES = "Releases"
"""The key that a header may also have: ``since v1.17.12``, ``until v1.20.0`` or both."""

HUNKS = "Hunks"
"""The key for hunks that only some releases get, one entry a line: ``src/a.ts 2-3,5 until v1.20.0``."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_KEY_LINE = re.compile(r"([A-Za-z][A-Za-z-]*):(?:\s+(.*))?")
_DIFF_START = re.compile(r"^diff --git ", re.MULTILINE)
_DELIMITERS = ("[=", "[%", "[#")
_ENTRY = re.compile(
    r"(?P<places>.*?)(?:\s+since\s+v(?P<since>\d+\.\d+\.\d+))?(?:\s+until\s+v(?P<until>\d+\.\d+\.\d+))?"
)
"""One entry of ``Touches``: places, then the releases that have the file."""

_RELEASES = re.compile(r"(?:since\s+(?P<since>\S+))?\s*(?:until\s+(?P<until>\S+))?")

_VARIANT = re.compile(r"(?P<path>\S+)\s+(?P<numbers>[1-9]\d?(?:[-,][1-9]\d?)*)\s+(?P<releases>(?:since|until)\s.*)")
"""One entry of ``Hunks``."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Hunks of a file (``numbers`` count from 1 in the diff) that only these releases get."""

    numbers: frozenset[int]
    releases: Range


@dataclass(frozen=True, kw_only=True)
class TouchedFile:
    """A file that a patch changes: where it is now, and the older places of the same file, newest first.

    ``since`` is the first release that has the file and ``until`` the last one, None without a limit. ``followed`` is a
    place found in upstream's history that the patch does not name. ``releases`` are those that the patch is for, and
    ``variants`` hunks that are only for some of them.
    """

    path: str
    older: tuple[str, ...] = ()
    since: Version | None = None
    until: Version | None = None
    followed: str | None = None
    releases: Range = field(default_factory=Range)
    variants: tuple[Variant, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """All places, in the order in which they are tried."""
        return (self.path, *self.older, *((self.followed,) if self.followed else ()))

    def may_lack(self, version: Version | None) -> bool:
        """Whether a release of that version may lack the file, or is not one that the patch is for.

        A release of unknown version (None) has to have it.
        """
        if version is None:
            return False
        return not (self.releases.has(version) and Range(since=self.since, until=self.until).has(version))

    def left_out(self, version: Version | None) -> frozenset[int]:
        """The numbers of the hunks that a release of that version does not get."""
        return frozenset(
            number for variant in self.variants if not variant.releases.has(version) for number in variant.numbers
        )


@dataclass(frozen=True, kw_only=True)
class Header:
    """The header of a patch. ``obsolete_when`` states what in upstream would make it unnecessary."""

    subject: str
    why: str
    obsolete_when: str
    touches: tuple[TouchedFile, ...]


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One patch as written: ``text`` is the whole file, header and diff, a template."""

    name: str
    header: Header
    text: str

    @property
    def file_name(self) -> str:
        """The file's name below ``patches/``."""
        return self.name + SUFFIX


@dataclass(frozen=True, kw_only=True)
class Series:
    """All patches, in the order in which they are applied."""

    patches: tuple[Patch, ...]

    def places(self) -> frozenset[str]:
        """Every path at which a release may have a file that a patch changes."""
        return frozenset(path for patch in self.patches for target in patch.header.touches for path in target.places)

    def following(self, moved: Mapping[str, str]) -> Series:
        """The series for a release in which upstream moved files: ``moved`` gives new paths by ``TouchedFile.path``."""
        return Series(patches=tuple(_following(patch, moved) for patch in self.patches))

    def find(self, name: str) -> Patch:
        """The patch called ``name``. Raises PatchError naming the nearest when there is none."""
        for patch in self.patches:
            if patch.name == name:
                return patch
        raise PatchError(
            f"There is no patch called '{name}'.", why=did_you_mean(name, [patch.name for patch in self.patches])
        )


def load(patches_dir: Path) -> Series:
    """Read ``patches_dir/series`` and every patch that it names.

    Raises PatchError when the series is missing, names a missing file, names one twice or leaves one out, and when a
    header is malformed.
    """
    series_file = patches_dir / SERIES_FILE
    names = tuple(_names(_read(series_file, "The series"), series_file))
    present = sorted(path.name.removesuffix(SUFFIX) for path in patches_dir.glob(f"*{SUFFIX}"))
    for name in names:
        if name not in present:
            raise PatchError(
                f"The series names '{name}', but {patches_dir / (name + SUFFIX)} does not exist.",
                why=did_you_mean(name, [other for other in present if other not in names]),
                next_step=f"Add the file, or remove the line from {series_file}.",
            )
    if left_out := [name for name in present if name not in names]:
        raise PatchError(
            f"{patches_dir / (left_out[0] + SUFFIX)} is not in the series.",
            why=f"{series_file} has to name every patch; it leaves out {', '.join(left_out)}.",
            next_step=f"Add the name to {series_file}, or move the file away.",
        )
    return Series(patches=tuple(parse(name, _read(patches_dir / (name + SUFFIX), "A patch")) for name in names))


def parse(name: str, text: str) -> Patch:
    """Make a Patch from a file's text. Raises PatchError when the header is malformed or the diff is missing."""
    if "\r" in text:
        raise _malformed(
            name,
            "It has CRLF line endings. A patch is written with LF and adopts the line endings of the file it changes.",
        )
    start = _DIFF_START.search(text)
    if start is None:
        raise _malformed(name, "No line starts with 'diff --git'; after the header there has to be a unified diff.")
    fields = _fields(name, text[: start.start()])
    for key in KEYS:
        if not fields.get(key):
            raise _malformed(name, f"Its header has no '{key}:' line.")
    return Patch(
        name=name,
        header=Header(
            subject=" ".join(fields["Subject"]),
            why=" ".join(fields["Why"]),
            obsolete_when=" ".join(fields["Obsolete-When"]),
            touches=_with_variants(
                name,
                _targets(name, fields["Touches"], _releases(name, RELEASES, " ".join(fields.get(RELEASES, [])))),
                fields.get(HUNKS, []),
            ),
        ),
        text=text,
    )


def _names(text: str, series_file: Path) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name = line.split("#", 1)[0].strip()
        if not name:
            continue
        if not _NAME.fullmatch(name):
            hint = f"Write '{name.removesuffix(SUFFIX)}'." if _NAME.fullmatch(name.removesuffix(SUFFIX)) else ""
            raise PatchError(
                f"{series_file}, line {number}: '{name}' is not a valid patch name.",
                why=f"Names have letters, digits, '-' and '_'; the file is NAME{SUFFIX} next to the series.",
                next_step=hint,
            )
        if name in seen:
            raise PatchError(
                f"{series_file}, line {number}: '{name}' is listed twice.",
                why=f"It is already on line {seen[name]}.",
                next_step="Remove one of the lines.",
            )
        seen[name] = number
        yield name


def _fields(name: str, header: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(header.split("\n"), 1):
        if any(delimiter in line for delimiter in _DELIMITERS):
            raise _malformed(name, f"Line {number}: variables are only allowed in the diff, not in the header.")
        if not line.strip():
            current = None
            continue
        if line[0].isspace():
            if current is None:
                raise _malformed(
                    name, f"Line {number}: an indented line continues a value, but there is none to continue."
                )
            current.append(line.strip())
            continue
        match = _KEY_LINE.fullmatch(line)
        if match is None:
            raise _malformed(name, f"Line {number}: expected 'Key: value', found '{line.strip()}'.")
        key, value = match.group(1), (match.group(2) or "").strip()
        known = [*KEYS, RELEASES, HUNKS]
        if key not in known:
            raise _malformed(name, f"Line {number}: '{key}' is not a header key. {did_you_mean(key, known)}".strip())
        if key in fields:
            raise _malformed(name, f"Line {number}: '{key}' is given twice.")
        current = fields[key] = [value] if value else []
    return fields


def _releases(name: str, key: str, text: str) -> Range:
    if not text:
        return Range()
    match = _RELEASES.fullmatch(text)
    limits = {word: parse_tag(tag) for word, tag in match.groupdict().items() if tag} if match else {}
    if not limits or None in limits.values():
        raise _malformed(name, f"{key} '{text}': expected 'since TAG', 'until TAG' or both, such as 'since v1.17.12'.")
    return Range(**limits)


def _targets(name: str, entries: list[str], releases: Range) -> tuple[TouchedFile, ...]:
    targets: list[TouchedFile] = []
    seen: set[str] = set()
    for entry in entries:
        match = _ENTRY.fullmatch(entry)
        assert match is not None, "the places match anything"
        places = [place.strip() for place in match.group("places").split(MOVED_FROM.strip())]
        for place in places:
            if any(word in place.split() for word in ("since", "until")):
                raise _malformed(name, f"Touches '{entry}': 'since' and 'until' come last, each with a release tag.")
            if reason := paths.problem(place):
                raise _malformed(name, f"Touches '{place}': {reason}.")
            if place in seen:
                raise _malformed(name, f"Touches names '{place}' twice.")
            seen.add(place)
        targets.append(
            TouchedFile(
                path=places[0],
                older=tuple(places[1:]),
                since=_version(match.group("since")),
                until=_version(match.group("until")),
                releases=releases,
            )
        )
    return tuple(targets)


def _with_variants(name: str, targets: tuple[TouchedFile, ...], entries: list[str]) -> tuple[TouchedFile, ...]:
    """The files, with what ``Hunks`` says of them."""
    found: dict[str, list[Variant]] = {target.path: [] for target in targets}
    for entry in entries:
        match = _VARIANT.fullmatch(entry)
        if match is None:
            raise _malformed(
                name,
                f"{HUNKS} '{entry}': expected a path, numbers of its hunks and releases: 'a.ts 2-3 since v1.17.12'.",
            )
        path = match.group("path")
        if path not in found:
            raise _malformed(
                name, f"{HUNKS} names '{path}', which Touches does not. {did_you_mean(path, found)}".strip()
            )
        variant = Variant(
            numbers=_numbers(match.group("numbers")), releases=_releases(name, HUNKS, match.group("releases").strip())
        )
        if twice := variant.numbers & {number for other in found[path] for number in other.numbers}:
            raise _malformed(name, f"{HUNKS} names hunk {min(twice)} of '{path}' twice.")
        found[path].append(variant)
    return tuple(replace(target, variants=tuple(found[target.path])) for target in targets)


def _numbers(text: str) -> frozenset[int]:
    """The numbers of ``2-3,5``."""
    ends = [list(map(int, part.split("-"))) for part in text.split(",")]
    return frozenset(number for first, *last in ends for number in range(first, (last or [first])[-1] + 1))


def _version(text: str | None) -> Version | None:
    if text is None:
        return None
    major, minor, patch = map(int, text.split("."))
    return (major, minor, patch)


def _following(patch: Patch, moved: Mapping[str, str]) -> Patch:
    touches = tuple(
        replace(target, followed=moved[target.path]) if target.path in moved else target
        for target in patch.header.touches
    )
    return patch if touches == patch.header.touches else replace(patch, header=replace(patch.header, touches=touches))


def _read(path: Path, what: str) -> str:
    try:
        return files.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise PatchError(f"{path} is not UTF-8 text.", why=f"{error.reason} at byte {error.start}.") from error
    except OSError as error:
        raise PatchError(f"{what} cannot be read: {path}.", why=f"{error.strerror or error}.") from error


def _malformed(name: str, why: str) -> PatchError:
    return PatchError(f"The patch '{name}' is malformed.", why=why, next_step=hints.show_patch(name))
