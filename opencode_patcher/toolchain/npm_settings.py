"""The user's settings for package registries, read once for all: npm's, as npm itself merges them (environment, user,
global), on top of bun's (``BUN_CONFIG_REGISTRY`` comes first, the ``.bunfig.toml`` last, as for bun).

The settings of a project (an ``.npmrc`` in the current directory) do not count: they may be somebody else's, and would
decide from where programs come.

Only what is needed to fetch a package is understood: ``registry``, ``@scope:registry``, credentials by host
(``//host/:_authToken`` and older forms), ``ca``, ``cafile``, ``proxy`` and ``https-proxy``.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from opencode_patcher.base import files
from opencode_patcher.base.environment import find_program
from opencode_patcher.base.text import without_credentials
from opencode_patcher.toolchain import bun_settings

DEFAULT_REGISTRY = "https://" + ".".join(("registry", "npmjs", "org")) + "/"
"""Where npm's client looks when nothing is set (npm's documentation, setting ``registry``)."""

_SCOPE = re.compile(r"@[^/:]+:registry")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings by their name as it stands in ``.npmrc``, and files with further certificate authorities.

    ``origins`` says where each was read, for messages.
    """

    values: Mapping[str, str]
    certificates: tuple[Path, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    def registry(self, package: str) -> str:
        """The registry for a package: its scope's if one is set, else the general one. Ends with a slash."""
        scope = package.partition("/")[0] if package.startswith("@") else ""
        url = self.values.get(f"{scope}:registry") if scope else None
        return (url or self.values.get("registry") or DEFAULT_REGISTRY).rstrip("/") + "/"

    def authorization(self, url: str) -> str | None:
        """The value of the Authorization header for a URL, or None.

        Credentials belong to a host and the paths below theirs; npm looks from the longest path to the
        shortest. None for a text that is not an address.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
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

    @property
    def scopes(self) -> tuple[str, ...]:
        """Each scope that has a registry of its own."""
        return tuple(sorted(name.removesuffix(":registry") for name in self.values if _SCOPE.fullmatch(name)))

    @property
    def authorities(self) -> str:
        """The certificates in npm's setting ``ca`` itself, in PEM format."""
        return self.values.get("ca", "").replace("\\n", "\n")

    @property
    def names_certificates(self) -> bool:
        """Whether npm's own settings add certificates."""
        return bool(self.values.get("ca") or self.values.get("cafile"))

    def registry_setting(self, package: str) -> str:
        """The registry for a package, and where that was read, for messages."""
        scope = f"{package.partition('/')[0]}:registry"
        name = scope if package.startswith("@") and self.values.get(scope) else "registry"
        return f"{without_credentials(self.registry(package))} ({self.origins.get(name, 'the default')})"

    def certificate_settings(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """The settings about trusted certificates, each with where it was read, for messages."""
        named = [
            f"{name}={self.values[name] if name == 'cafile' else '...'} ({self.origins.get(name, 'unknown')})"
            for name in ("cafile", "ca", "strict-ssl")
            if self.values.get(name)
        ]
        variables = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR")
        return (*named, *(f"{name}={environment[name]} (environment)" for name in variables if environment.get(name)))

    def _credentials(self, key: str) -> str | None:
        if token := self.values.get(f"{key}_authToken"):
            return f"Bearer {token}"
        if encoded := self.values.get(f"{key}_auth"):
            return f"Basic {encoded}"
        user, password = self.values.get(f"{key}username"), self.values.get(f"{key}_password")
        if user and password:
            return _basic(f"{user}:{decoded(password)}")
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
    places: list[tuple[str, Mapping[str, str]]] = []
    if own := bun_settings.user_file(environment):
        places.append((str(own), bun_settings.read(own, environment)))
    for file in (_global_file(from_environment, environment), _expanded_user(user, home) if user else None):
        if file is not None:
            places.append((str(file), _parse_file(file, environment)))
    places.append(("environment", from_environment))
    if registry := environment.get("BUN_CONFIG_REGISTRY"):
        places.append(("BUN_CONFIG_REGISTRY", _of_bun(registry, environment.get("BUN_CONFIG_TOKEN"))))
    merged: dict[str, str] = {}
    origins: dict[str, str] = {}
    for place, said in places:
        merged.update(said)
        origins.update(dict.fromkeys(said, place))
    if cafile := merged.get("cafile"):
        merged["cafile"] = str(_expanded_user(cafile, home))
    certificates = (merged.get("cafile"), environment.get("NODE_EXTRA_CA_CERTS"))
    return Settings(values=merged, certificates=tuple(Path(name) for name in certificates if name), origins=origins)


def _of_bun(registry: str, token: str | None) -> dict[str, str]:
    key = f"{bun_settings.credentials_key(registry)}_authToken"
    return {"registry": registry, **({key: token} if token else {})}


def _expanded_user(path: str, home: str | None) -> Path:
    """A path as npm takes it: ``~/`` is the user's home (npm's documentation, type Path)."""
    return Path(home) / path[2:] if home and path.startswith("~/") else Path(path)


def address_problem(url: str) -> str:
    """Why a registry setting cannot be used as an address; "" if it can."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"npm's registry setting is not a usable address: {error}."
    if parts.scheme not in ("https", "http") or not parts.hostname:
        # urllib would also accept file: and data: addresses.
        return "npm's registry setting is not an address that starts with https:// or http://."
    return ""


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


def decoded(text: str) -> str:
    """Base64 as npm reads it: without padding as well. "" for other text, and the registry says that it is wrong."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()
