"""The one way to read JSON, whoever has written it: bounded, typed, and with one kind of error.

A caller names the shape it expects (a dataclass, or any type that msgspec understands); what does not have it is
refused with the place of the mistake. Fields that the shape does not name are ignored, so that a newer version can add
some without a new format.
"""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from opencode_patcher.base import files

T = TypeVar("T")

DEPTH_LIMIT = 100
"""Objects and lists within each other, at most. Package files, catalogues and configurations have less than ten."""


class DocumentError(ValueError):
    """A document cannot be read, is damaged, or is not what was expected. Its text is a sentence that says why."""


class NewerError(DocumentError):
    """A newer version of this tool wrote the document. ``found`` is the number of its format."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"Its format is {found}; this version reads format {known}.")
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

    ``format`` is checked first if it is given. ``any_bytes`` lets bytes that are not UTF-8 through, as surrogates
    (PEP 383), for a document that holds file names.
    Raises FileNotFoundError when there is no such file, else DocumentError, and NewerError for a newer format.
    """
    try:
        data = files.read_bytes(path, limit=limit)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(*error.args) from error
    except OSError as error:
        raise DocumentError(f"{error.strerror or error}.") from error
    return parse(data, shape, format=format, any_bytes=any_bytes)


def parse(data: bytes | str, shape: type[T], *, format: Format | None = None, any_bytes: bool = False) -> T:
    """As ``read``, for a document that is there already. Raises DocumentError."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8", "surrogateescape" if any_bytes else "strict")
        # msgspec would refuse the surrogates.
        value: object = json.loads(text) if any_bytes else msgspec.json.decode(text)
        check_bounds(value)
        if format:
            _require_format(value, format)
        return msgspec.convert(value, shape)
    except DocumentError:
        raise
    except RecursionError as error:
        raise DocumentError("It is nested too deeply.") from error
    except UnicodeError as error:
        raise DocumentError("It is not UTF-8.") from error
    except msgspec.ValidationError as error:
        raise DocumentError(f"{str(error).rstrip('.')}.") from error
    except ValueError as error:
        raise DocumentError(f"It is not valid JSON: {str(error).removeprefix('JSON is malformed: ')}.") from error


def check_bounds(value: object) -> None:
    """Raises DocumentError for what is nested more than ``DEPTH_LIMIT`` deep, and for numbers that are not of 64 bits:
    they break whoever reads on.
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


def _require_format(value: object, format: Format) -> None:
    found = value.get(format.field) if isinstance(value, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise DocumentError(f"It has no field `{format.field}` with a number.")
    if found > format.number:
        raise NewerError(found, format.number)
    if found < 1:
        raise DocumentError(f"Its {format.field} is {found}.")
