"""npm's settings, as npm itself merges them: environment, user, global.

The settings of a project (an ``.npmrc`` in the current directory) do not count: they may be somebody else's, and would
decide from where programs come.

Only what is needed to fetch a package is understood: ``registry``, ``@scope:registry``, credentials by host
(``//host/:_authToken`` and older forms), ``cafile``, ``proxy`` and ``https-proxy``.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from opencode_patcher.base import files
from opencode_patcher.base.environment import find_program

DEFAULT_REGISTRY = "https://" + ".".join(("registry", "npmjs", "org")) + "/"
"""Where npm's client looks when nothing is set (npm's documentation, setting ``registry``)."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings by their name as it stands in ``.npmrc``, and files with further certificate authorities."""

    values: Mapping[str, str]
    certificates: tuple[Path, ...] = ()

    def registry(self, package: str) -> str:
        """The registry for a package: its scope's if one is set, else the general one. Ends with a slash."""
        scope = package.partition("/")[0] if package.startswith("@") else ""
        url = self.values.get(f"{scope}:registry") if scope else None
        return (url or self.values.get("registry") or DEFAULT_REGISTRY).rstrip("/") + "/"

    def authorization(self, url: str) -> str | None:
        """The value of the Authorization header for a URL, or None.

        Credentials belong to a host and the paths below theirs; npm looks from the longest path to the
        shortest.
        """
        parts = urlsplit(url)
        if parts.username:
            return _basic(f"{unquote(parts.username)}:{unquote(parts.password or '')}")
        host = parts.netloc.rpartition("@")[2]
        segments = [segment for segment in parts.path.split("/") if segment]
        for length in range(len(segments), -1, -1):
            prefix = "//" + "/".join([host, *segments[:length]])
            for key in (f"{prefix}/:", f"{prefix}:"):
                if found := self._credentials(key):
                    return found
        return None

    def _credentials(self, key: str) -> str | None:
        if token := self.values.get(f"{key}_authToken"):
            return f"Bearer {token}"
        if encoded := self.values.get(f"{key}_auth"):
            return f"Basic {encoded}"
        user, password = self.values.get(f"{key}username"), self.values.get(f"{key}_password")
        if user and password:
            return _basic(f"{user}:{base64.b64decode(password).decode('utf-8', 'replace')}")
        return None

    @property
    def proxies(self) -> dict[str, str]:
        """Proxies by URL scheme that npm's own settings name; the environment's are not among them."""
        plain = self.values.get("proxy")
        secure = self.values.get("https-proxy") or plain
        return {scheme: url for scheme, url in (("http", plain), ("https", secure)) if url and url != "null"}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this user.

    A file that is missing or cannot be read counts as empty, as it does for npm.
    """
    environment = os.environ if environment is None else environment
    from_environment = {
        _setting_name(name): value for name, value in environment.items() if name.lower().startswith("npm_config_")
    }
    home = environment.get("HOME") or environment.get("USERPROFILE")
    user = from_environment.get("userconfig") or (f"{home}/.npmrc" if home else None)
    files = (
        _global_file(from_environment, environment),
        Path(user).expanduser() if user else None,
    )
    merged: dict[str, str] = {}
    for file in files:
        if file is not None:
            merged.update(_parse_file(file, environment))
    merged.update(from_environment)
    certificates = (merged.get("cafile"), environment.get("NODE_EXTRA_CA_CERTS"))
    return Settings(values=merged, certificates=tuple(Path(name) for name in certificates if name))


def parse(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings in the text of an ``.npmrc``; ``${NAME}`` stands for an environment variable.

    Of a list (``name[] = value``) the last entry counts. An unknown variable stays as it is written, as npm
    has it.
    """
    values: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in ";#[":
            continue
        name, _, value = stripped.partition("=")
        values[_expand(name.strip().removesuffix("[]"), environment)] = _expand(value.strip().strip("\"'"), environment)
    return values


def _expand(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([^{}]{1,200})\}", lambda found: environment.get(found[1], found[0]), text)


def _parse_file(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    try:
        return parse(files.read_text(path, errors="replace"), environment)
    except OSError:
        return {}


def _setting_name(variable: str) -> str:
    """``npm_config_https_proxy`` is ``https-proxy``; what names a host or scope is kept as it is."""
    name = variable[len("npm_config_") :]
    return name if name.startswith(("//", "@")) else name.lower().replace("_", "-")


def _global_file(settings: Mapping[str, str], environment: Mapping[str, str]) -> Path | None:
    """npm's global file: named, or below its prefix, which by default is where node is installed."""
    if named := settings.get("globalconfig"):
        return Path(named)
    if prefix := settings.get("prefix"):
        return Path(prefix) / "etc" / "npmrc"
    node = find_program("node", environment.get("PATH", ""))
    if node is None:
        return None
    directory = node.resolve().parent
    return (directory if os.name == "nt" else directory.parent) / "etc" / "npmrc"


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()
