"""The only way to read JSON, whoever wrote it: bounded, typed, and with one kind of error.

A caller names the shape it expects (a dataclass, or any type that msgspec understands). A document of another shape is
refused, and the error says where it differs. Unknown fields are ignored, so that a newer version can add some without a
new format.
"""

from __future__ import annotations

import json
import os
from math import isfinite
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from opencode_patcher.base import files

T = TypeVar("T")

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET
"""The default of a field that may be missing, where missing and null differ."""

DEPTH_LIMIT = 100
"""How deeply objects and lists may be nested. Package files, catalogues and configurations have fewer than ten
levels."""


class DocumentError(ValueError):
    """A document cannot be read, is damaged, or is not what was expected. Its text says why in one sentence."""


class MissingError(DocumentError):
    """There is no such file."""


class NewerError(DocumentError):
    """A newer version of this tool wrote the document. ``found`` is the number of its format."""

    def __init__(self, found: int, known: Format) -> None:
        super().__init__(f"Its {known.field} is {found}; this version reads {known.field} {known.number}.")
        self.found = found


class Format(NamedTuple):
    """The field that numbers a document's format, and the newest number that is understood."""

    number: int
    field: str = "format"


def read(
    path: Path,
    shape: type[T],
    *,
    format: Format | None = None,
    limit: int = files.TEXT_LIMIT,
    any_bytes: bool = False,
) -> T:
    """The document in a file, as a ``shape``.

    ``format`` is checked first if it is given. ``any_bytes`` lets bytes that are not UTF-8 through, as surrogates (PEP
    383), for a document that holds file names. Raises DocumentError, or its subclasses MissingError and NewerError.
    """
    try:
        data = files.read_bytes(path, limit=limit)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError("There is no such file.") from error
    except OSError as error:
        raise DocumentError(f"{error.strerror or error}.") from error
    return parse(data, shape, format=format, any_bytes=any_bytes)


def parse(
    data: bytes | str,
    shape: type[T],
    *,
    format: Format | None = None,
    any_bytes: bool = False,
    halves: bool = False,
) -> T:
    """As ``read``, for bytes that were already read. Raises DocumentError.

    ``halves`` accepts halves of surrogate pairs, which JavaScript leaves when it cuts a text.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8", "surrogateescape" if any_bytes else "strict")
        # msgspec would refuse the surrogates.
        value: object = json.loads(text) if any_bytes or halves else msgspec.json.decode(text)
        check_bounds(value)
        if format:
            _require_format(value, format)
        return shaped(value, shape)
    except DocumentError:
        raise
    except RecursionError as error:
        raise DocumentError("It is nested too deeply.") from error
    except UnicodeError as error:
        raise DocumentError("It is not UTF-8.") from error
    except ValueError as error:
        raise DocumentError(f"It is not valid JSON: {str(error).removeprefix('JSON is malformed: ')}.") from error


def parse_line(line: str, shape: type[T]) -> T:
    """As ``parse``, ten times as fast, for one of many lines. Numbers in the shape have to be ``Int64`` or ``float``.

    Half a surrogate pair, which JavaScript leaves when it cuts a text, is accepted. Raises DocumentError.
    """
    try:
        return msgspec.json.decode(line, type=shape)
    except (ValueError, RecursionError) as error:
        if "\\ud" not in line.lower():
            raise DocumentError(str(error)) from error
    try:
        value = json.loads(line)
        check_bounds(value)
        return shaped(value, shape)
    except (ValueError, RecursionError) as error:
        raise DocumentError(str(error)) from error


def shaped(value: object, shape: type[T]) -> T:
    """A part of a document that was read as ``object``, as a ``shape``. Raises DocumentError."""
    try:
        return msgspec.convert(value, shape, dec_hook=_other)
    except msgspec.ValidationError as error:
        raise DocumentError(f"{str(error).rstrip('.')}.") from error


def check_bounds(value: object) -> None:
    """Raises DocumentError for documents nested more than ``DEPTH_LIMIT`` deep, and for numbers that do not fit into 64
    bits: both would break the code that uses them.
    """
    level = [value]
    for _ in range(DEPTH_LIMIT):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, int) and not -(2**63) <= item < 2**64:
                raise DocumentError("It has a number that is too large.")
            elif isinstance(item, float) and not isfinite(item):
                raise DocumentError("It has a number that is not finite.")
        if not below:
            return
        level = below
    raise DocumentError("It is nested too deeply.")


def _other(kind: type, value: object) -> object:
    """Types that msgspec does not know: ``object`` for anything, and paths."""
    if kind is object:
        return value
    if kind is not Path or not isinstance(value, str) or "\0" in value:
        raise ValueError("Expected a path")
    os.fsencode(value)  # raises ValueError for an impossible file name
    return Path(value)


def _require_format(value: object, format: Format) -> None:
    found = value.get(format.field) if isinstance(value, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise DocumentError(f"It has no field `{format.field}` with a number.")
    if found > format.number:
        raise NewerError(found, format)
    if found < 1:
        raise DocumentError(f"Its {format.field} is {found}.")
