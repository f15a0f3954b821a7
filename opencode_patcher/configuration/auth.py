"""OpenCode's list of logins, ``auth.json`` (packages/opencode/src/auth/index.ts). Keys are never kept or shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opencode_patcher.base import documents
from opencode_patcher.base.files import read_text
from opencode_patcher.configuration import places

CONTENT_VARIABLE = "OPENCODE_AUTH_CONTENT"
_TYPES = ("api", "oauth", "wellknown")


@dataclass(frozen=True, kw_only=True)
class Logins:
    """``types`` maps a provider's id (an address for ``wellknown``) to ``api``, ``oauth`` or ``wellknown``.

    ``problem`` says why the list could not be read (OpenCode then treats it as empty), and ``fix`` what to do.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    fix: str = ""


def read(environment: Mapping[str, str]) -> Logins:
    """The logins of this user; empty if there are none. Never raises."""
    directory = places.data_directory(environment)
    content = environment.get(CONTENT_VARIABLE)
    if content:
        found = _parse(content, CONTENT_VARIABLE)
        if not found.problem:
            return found
    if directory is None:
        problem = "OpenCode's list of logins cannot be found: neither HOME nor XDG_DATA_HOME is set."
        return Logins(problem=problem, fix="Set HOME.")
    path = directory / "auth.json"
    try:
        text = read_text(path)
    except FileNotFoundError:
        return Logins()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return Logins(problem=f"{path} cannot be read: {reason or error}.", fix="Fix its permissions.")
    return _parse(text, str(path))


def _parse(text: str, name: str) -> Logins:
    try:
        data = documents.parse(text, dict[str, object])
    except documents.DocumentError:
        # The reader's own message is not passed on: it could contain part of a key.
        return Logins(problem=f"{name} is damaged: it is not a JSON object.", fix="Log in again: opencode auth login")
    types = {id_: entry.get("type") for id_, entry in data.items() if isinstance(entry, dict)}
    return Logins(types={id_: type_ for id_, type_ in types.items() if isinstance(type_, str) and type_ in _TYPES})
