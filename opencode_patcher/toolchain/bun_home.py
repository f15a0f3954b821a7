"""The home directory for ``bun install``. It has the user's registry settings and nothing else.

npm and bun read the same settings in different ways: a token for a whole host, ``~`` in a path, ``cafile`` in the
environment. So they are read once (``npm_settings``), and bun gets the result. Other settings of npm or bun
(``frozenLockfile``, ``omit``, ``production``) would change what is installed, so they are not passed on.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from opencode_patcher.base import files
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.toolchain import bun_settings
from opencode_patcher.toolchain.npm_settings import Settings, address_problem, decoded

BUNDLE = "authorities.pem"

TUNING = frozenset(
    {
        *("BUN_CONFIG_HTTP_IDLE_TIMEOUT", "BUN_CONFIG_HTTP_RETRY_COUNT", "BUN_CONFIG_MAX_HTTP_REQUESTS"),
        *("BUN_CONFIG_DNS_TIME_TO_LIVE_SECONDS", "BUN_CONFIG_DISABLE_COPY_FILE_RANGE"),
    }
)
"""Bun's variables that only change how it downloads and copies, not what or from where."""


def hand_over(settings: Settings, home: Path) -> dict[str, str | None]:
    """Write ``settings`` into a fresh, private directory, and return the variables that make bun read them from there.

    Raises ToolchainError when a registry's address cannot be used, StoreError when nothing can be written.
    """
    lines = ["[install]", f"registry = {_as_toml(settings)}"]
    if bundle := _bundle(settings):
        files.write_text(home / BUNDLE, bundle)
        lines.append(f"cafile = {_quoted(str(home / BUNDLE))}")
    lines += [
        "[install.scopes]",
        *(f"{_quoted(scope)} = {_as_toml(settings, scope)}" for scope in settings.scopes),
    ]
    files.write_bytes(home / bun_settings.FILE, "\n".join([*lines, ""]).encode("utf-8", "surrogateescape"), mode=0o600)
    return {
        **{name: str(home) for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME")},
        "BUN_INSTALL_CACHE_DIR": str(cache(os.environ)),
        **{f"{scheme.upper()}_PROXY": url for scheme, url in settings.proxies.items()},
    }


def cache(environment: Mapping[str, str]) -> Path:
    """Bun's cache directory, by bun's own rules (bun's documentation, "Global cache")."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    places = (
        ("BUN_INSTALL_CACHE_DIR", ""),
        ("BUN_INSTALL", "install/cache"),
        ("XDG_CACHE_HOME", ".bun/install/cache"),
    )
    named = (Path(root, below) for name, below in places if (root := environment.get(name)))
    return next(named, Path(home or ".", ".bun/install/cache")).absolute()


def _as_toml(settings: Settings, scope: str = "") -> str:
    """The registry of a scope with its credentials, as a TOML inline table."""
    package = f"{scope}/" if scope else ""
    url = settings.registry(package)
    if problem := address_problem(url):
        raise ToolchainError(
            "The dependencies cannot be installed.",
            why=f"{problem}\nRegistry: {settings.registry_setting(package)}",
            next_step="Correct the setting in .npmrc, .bunfig.toml or the environment.",
        )
    parts = urlsplit(url)
    said = {"url": urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))}
    kind, _, secret = (settings.authorization(url) or "").partition(" ")
    if kind == "Bearer":
        said["token"] = secret
    elif kind == "Basic":
        user, _, password = decoded(secret).partition(":")
        said |= {"username": user, "password": password}
    return "{ " + ", ".join(f"{name} = {_quoted(value)}" for name, value in said.items()) + " }"


def _quoted(text: str) -> str:
    """A TOML string. JSON strings are valid TOML if they do not escape what is not ASCII."""
    return json.dumps(text, ensure_ascii=False)


def _bundle(settings: Settings) -> str:
    """The certificate authorities in npm's settings and the system's; otherwise bun would trust only the former."""
    added = list(_texts([*settings.certificates])) + ([settings.authorities] if settings.authorities else [])
    if not settings.names_certificates or not added:
        return ""
    system = ssl.get_default_verify_paths().cafile
    return "\n".join([*added, *_texts([Path(system)] if system else [])])


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        try:
            yield files.read_text(path, errors="replace")
        except OSError:
            continue
