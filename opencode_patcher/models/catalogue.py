"""Reading a models catalogue: the JSON that models.dev serves and that OpenCode keeps in its cache."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opencode_patcher.base import documents, files
from opencode_patcher.base.environment import home_directory
from opencode_patcher.base.errors import CatalogueError, UsageError
from opencode_patcher.models.nearest import nearest
from opencode_patcher.models.resolve import Offer

LIMIT = 64_000_000
"""The largest catalogue, in bytes. That of models.dev has three million."""

_GZIP = b"\x1f\x8b"
_NEXT = "Name another file with --catalog; models.dev/api.json is the format."


def opencode_cache(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The catalogue that OpenCode keeps (models-dev.ts), if there is one.

    ``OPENCODE_MODELS_PATH`` can name another file; otherwise it is ``models.json`` in OpenCode's directory below the
    XDG cache directory, on every platform.
    """
    if own := environment.get("OPENCODE_MODELS_PATH"):
        return Path(own)
    base = environment.get("XDG_CACHE_HOME")
    home = home_directory(environment)
    if not base and not home:
        return None
    path = (Path(base) if base else Path(f"{home}/.cache")) / "opencode" / "models.json"
    return path if files.is_file(path) else None


def unpacked(data: bytes) -> bytes:
    """The unpacked gzip data, up to ``LIMIT``. Raises OSError for more, EOFError and zlib.error."""
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    content = unpacker.decompress(data, LIMIT + 1)
    if len(content) > LIMIT:
        raise OSError(errno.EFBIG, f"It unpacks to more than {LIMIT / 1e6:g} MB")
    if not unpacker.eof:
        raise EOFError("It is cut off")
    return content


def load(path: Path) -> tuple[Offer, ...]:
    """The offers in a catalogue file, plain or compressed with gzip, in the file's order.

    Raises CatalogueError that names the file and the place in it.
    """
    try:
        data = files.read_bytes(path, limit=LIMIT)
        if data.startswith(_GZIP):
            data = unpacked(data)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CatalogueError(f"{path} cannot be read.", why=f"{why}.", next_step=_NEXT) from error
    return parse(data, str(path))


def parse(data: bytes, origin: str) -> tuple[Offer, ...]:
    """The offers in ``data``: an object of providers, each with an object of models.

    A model must have a name; its id is its key. Raises CatalogueError; ``origin`` names the data.
    """
    try:
        # Like JavaScript, accept half a surrogate pair: one odd name must not hide all other models.
        content = documents.parse(data, object, halves=True)
    except documents.DocumentError as error:
        raise CatalogueError(f"{origin} is not a catalogue.", why=str(error), next_step=_NEXT) from error
    found: list[Offer] = []
    for provider_id, value in _object(content, origin, "the whole").items():
        place = f"provider {provider_id!r}"
        models = _object(_object(value, origin, place).get("models"), origin, f"models of {place}")
        found += (_offer(provider_id, id_, model, origin) for id_, model in models.items())
    return tuple(found)


def _offer(provider_id: str, model_id: str, value: object, origin: str) -> Offer:
    here = f"model {model_id!r} of provider {provider_id!r}"
    known = _object(value, origin, here)
    return Offer(
        provider_id=provider_id,
        model_id=model_id,
        name=_text(known, "name", origin, here, required=True),
        release_date=_text(known, "release_date", origin, here, required=False),
    )


def _object(value: object, origin: str, place: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise CatalogueError(
        f"{origin} is not a catalogue.",
        why=f"In it, {place} is {_kind(value)}, not an object.",
        next_step=_NEXT,
    )


def _text(model: Mapping[str, Any], field: str, origin: str, place: str, *, required: bool) -> str:
    value = model.get(field)
    if isinstance(value, str):
        return value
    if value is None and not required:
        return ""
    raise CatalogueError(
        f"{origin} is not a catalogue.",
        why=f"In it, {place} " + (f"has no {field}." if value is None else f"has a {field} that is {_kind(value)}."),
        next_step=_NEXT,
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "missing"}
    return names.get(type(value), "a number")


def require_providers(offers: Iterable[Offer], wanted: Iterable[str]) -> frozenset[str]:
    """The provider ids in ``wanted`` as a set. Raises UsageError for one that no offer has."""
    known = {offer.provider_id for offer in offers}
    for provider in wanted:
        if provider not in known:
            near = nearest(provider, known)
            raise UsageError(
                f"The catalogue has no provider {provider!r}.",
                next_step=f"Did you mean {near!r}?" if near else "",
            )
    return frozenset(wanted)
