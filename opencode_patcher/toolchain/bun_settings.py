"""The user's bun settings (``.bunfig.toml``) that say where packages come from."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opencode_patcher.base import files

FILE = ".bunfig.toml"


def user_file(environment: Mapping[str, str]) -> Path | None:
    """The user's own file; None if it does not exist."""
    for name in ("XDG_CONFIG_HOME", "HOME", "USERPROFILE"):
        if (directory := environment.get(name)) and files.is_file(path := Path(directory) / FILE):
            return path
    return None


def read(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What a ``bunfig.toml`` says of registries and certificates, by npm's names. Nothing when it cannot be read.

    Source: bun's documentation of ``install.registry``, ``install.scopes``, ``install.ca`` and ``install.cafile``.
    """
    try:
        install = tomllib.loads(files.read_text(path)).get("install")
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(install, dict):
        return {}
    found: dict[str, str] = {}
    _registry(found, "registry", install.get("registry"))
    scopes = install.get("scopes")
    for scope, value in scopes.items() if isinstance(scopes, dict) else ():
        _registry(found, f"@{scope.removeprefix('@')}:registry", value)
    found.update({name: value for name in ("ca", "cafile") if isinstance(value := install.get(name), str)})
    return {name: _expanded(value, environment) for name, value in found.items()}


def _registry(found: dict[str, str], name: str, value: Any) -> None:
    said = {"url": value} if isinstance(value, str) else value if isinstance(value, dict) else {}
    url = said.get("url")
    if not isinstance(url, str) or not url:
        return
    found[name] = url
    key = credentials_key(url)
    if isinstance(said.get("token"), str):
        found[f"{key}_authToken"] = said["token"]
    if isinstance(said.get("username"), str) and isinstance(said.get("password"), str):
        found[f"{key}username"] = said["username"]
        found[f"{key}_password"] = base64.b64encode(said["password"].encode()).decode()


def credentials_key(url: str) -> str:
    """The prefix of a registry's credentials in an ``.npmrc``, such as ``//host/path/:``; "" for a text that is not an
    address, which is refused when it is used.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"//{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/:"


def _expanded(value: str, environment: Mapping[str, str]) -> str:
    """bun replaces a value that is ``$`` and the name of a variable."""
    return environment.get(value[1:], value) if value.startswith("$") else value
