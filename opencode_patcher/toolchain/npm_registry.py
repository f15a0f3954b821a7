"""Fetching one version of a package from an npm registry, with its integrity checked."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import quote

from opencode_patcher.base import documents
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.text import without_credentials
from opencode_patcher.toolchain.npm_settings import DEFAULT_REGISTRY, Settings, address_problem

TIMEOUT_SECONDS = 60.0
"""How long a server may take to send something."""
ATTEMPTS = 3
PAUSE_SECONDS = 1.0
"""The pause before the second attempt; the next one is twice as long."""
ANSWER_LIMIT = 64_000_000
"""Bytes. The document of bun, with all its versions, has less than one million."""
_ABBREVIATED = "application/vnd.npm.install-v1+json, application/json"
"""The short form of a package's document, which has everything that an installation needs (npm registry API)."""


class NotInRegistryError(ToolchainError):
    """The registry answers that it does not have the package or the version."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Where a version's archive is, and its SHA-512."""

    url: str
    sha512: bytes


@dataclass(frozen=True, kw_only=True)
class _Dist:
    tarball: str
    integrity: str


@dataclass(frozen=True, kw_only=True)
class _Version:
    dist: _Dist


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """A registry's document about a package. Only the requested versions have to be well formed."""

    versions: dict[str, object]


def find(settings: Settings, package: str, version: str) -> Distribution:
    """Ask the registry for one version of a package.

    Raises NotInRegistryError when the registry does not have the package or the version, ToolchainError when it cannot
    be reached or has no SHA-512 for it.
    """
    registry = settings.registry(package)
    url = registry + quote(package, safe="@")
    what = f"{package} {version} cannot be fetched."
    try:
        with _open(settings, url, accept=_ABBREVIATED, what=what) as response:
            answer = response.read(ANSWER_LIMIT + 1)
        if len(answer) > ANSWER_LIMIT:
            raise _error(what, url, f"The registry's answer is larger than {ANSWER_LIMIT / 1e6:g} MB.")
        versions = documents.parse(answer, _Answer).versions
        if version not in versions:
            raise _error(what, url, "The registry does not have this version.", NotInRegistryError)
        found = documents.shaped(versions[version], _Version).dist
        return Distribution(url=_tarball(found.tarball, registry), sha512=parse_integrity(found.integrity))
    except ValueError as error:
        raise _error(what, url, f"The registry's answer is malformed: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _error(what, url, f"The connection broke: {error}") from error


def ask(settings: Settings, package: str, *, timeout: float) -> None:
    """Ask the registry for a package once; ``timeout`` is in seconds. Raises ToolchainError when it does not have it,
    or does not answer.
    """
    url = settings.registry(package) + quote(package, safe="@")
    what = "The npm registry cannot be used."
    _open(settings, url, accept=_ABBREVIATED, what=what, attempts=1, timeout=timeout).close()


def parse_integrity(text: str) -> bytes:
    """The SHA-512 in a subresource integrity value such as ``sha512-<base64> sha1-<base64>``.

    Raises ValueError when there is none; weaker digests are not accepted.
    """
    for entry in text.split():
        algorithm, _, digest = entry.partition("-")
        if algorithm == "sha512":
            raw = base64.b64decode(digest.partition("?")[0], validate=True)
            if len(raw) == hashlib.sha512().digest_size:
                return raw
    raise ValueError("no sha512 integrity")


def download(settings: Settings, distribution: Distribution) -> bytes:
    """A version's archive.

    Raises ToolchainError when it cannot be fetched or is not what the registry announced.
    """
    what = f"{distribution.url.rpartition('/')[2]} cannot be fetched."
    try:
        with _open(settings, distribution.url, what=what) as response:
            archive = response.read()
    except http.client.IncompleteRead as error:
        why = f"The download ended after {len(error.partial)} bytes; {error.expected} were still missing."
        raise _error(what, distribution.url, why) from error
    except (OSError, http.client.HTTPException) as error:
        raise _error(what, distribution.url, f"The connection broke: {error}") from error
    if hashlib.sha512(archive).digest() != distribution.sha512:
        raise _error(
            what,
            distribution.url,
            "The archive is not the one that the registry announced: its SHA-512 differs. "
            "It was damaged or changed on the way and is not used.",
        )
    return archive


def opener(settings: Settings) -> urllib.request.OpenerDirector:
    """What opens addresses with the proxies and certificates that are set. Raises ToolchainError when a certificate
    cannot be read.
    """
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(urllib.request.getproxies() | settings.proxies),
        urllib.request.HTTPSHandler(context=_context(settings)),
    )


def _open(
    settings: Settings,
    url: str,
    *,
    what: str,
    accept: str = "*/*",
    attempts: int = ATTEMPTS,
    timeout: float = TIMEOUT_SECONDS,
) -> http.client.HTTPResponse:
    if problem := address_problem(url):
        raise _error(what, url, problem)
    ask = opener(settings)
    request = urllib.request.Request(without_credentials(url), headers={"Accept": accept})
    if authorization := settings.authorization(url):
        # Not passed on when the server redirects to another one, as registries do to their file stores.
        request.add_unredirected_header("Authorization", authorization)
    pause = PAUSE_SECONDS
    for attempt in range(1, attempts + 1):
        try:
            response = ask.open(request, timeout=timeout)
            assert isinstance(response, http.client.HTTPResponse)
            return response
        except urllib.error.HTTPError as error:
            error.close()
            if attempt == attempts or (error.code < 500 and error.code != 429):
                kind = NotInRegistryError if error.code == 404 else ToolchainError
                raise _error(what, url, _status_text(error.code), kind) from error
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(reason, ssl.SSLError):
                raise untrusted(what, url, str(reason), settings) from error
            if attempt == attempts:
                raise _error(what, url, f"The registry cannot be reached: {reason}") from error
        except ValueError as error:
            raise _error(what, url, f"npm's registry setting is not a usable address: {error}.") from error
        time.sleep(pause)
        pause *= 2
    raise AssertionError("unreachable")


def _status_text(code: int) -> str:
    if code == 404:
        return "The registry does not have it (404)."
    if code in (401, 403):
        return f"The registry asks for a login that npm's settings do not give ({code})."
    return f"The registry answered with {code}."


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.authorities:
        try:
            context.load_verify_locations(cadata=settings.authorities)
        except (ValueError, ssl.SSLError) as error:
            raise ToolchainError(
                "The certificate in npm's settings cannot be read.",
                why=f"ca ({settings.origins.get('ca', 'unknown')}): {error}",
                next_step="Correct it, or name a file with cafile in ~/.npmrc.",
            ) from error
    for file in settings.certificates:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise ToolchainError(
                "The certificates that npm's settings name cannot be read.",
                why="\n".join([f"{file}: {error}", *settings.certificate_settings(os.environ)]),
                next_step="Correct cafile in ~/.npmrc, or NODE_EXTRA_CA_CERTS.",
            ) from error
    return context


def _tarball(url: str, registry: str) -> str:
    """Where to get an archive. A mirror may give the public address; npm still asks the mirror."""
    if url.startswith(DEFAULT_REGISTRY) and registry != DEFAULT_REGISTRY:
        return registry + url.removeprefix(DEFAULT_REGISTRY)
    return url


TRUST_HELP = (
    "Name the certificate of your network's authority, a file in PEM format: npm config set cafile FILE (or "
    "NODE_EXTRA_CA_CERTS=FILE). The setting strict-ssl=false is not followed: programs are fetched here."
)


def untrusted(what: str, url: str, reason: str, settings: Settings) -> ToolchainError:
    """The error for a server whose certificate is not trusted. It names the settings that decide about that."""
    in_force = settings.certificate_settings(os.environ)
    return ToolchainError(
        what,
        why="\n".join(
            [
                f"The server's certificate is not trusted: {reason}",
                *([f"Address: {without_credentials(url)}"] if url else []),
                f"Registry: {settings.registry_setting('')}",
                "Settings for certificates:" if in_force else "No setting names a certificate of your own.",
                *(f"  {line}" for line in in_force),
            ]
        ),
        next_step=TRUST_HELP,
    )


def _error(what: str, url: str, why: str, kind: type[ToolchainError] = ToolchainError) -> ToolchainError:
    return kind(
        what,
        why=f"{why}\nAddress: {without_credentials(url)}",
        next_step=(
            "Check npm's registry (npm_config_registry or .npmrc) and the proxy (HTTPS_PROXY), "
            "or put the wanted bun on PATH."
        ),
    )
