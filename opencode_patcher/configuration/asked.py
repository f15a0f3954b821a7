"""What a patched OpenCode says about the user: it is the only one that knows all of its rules.

``ask`` is about what it refuses. It gets copies in a directory of their own, because OpenCode writes into configuration
files, and installs what a configuration names. ``report`` is about providers and combined models: it looks at the
user's own files, but without plugins, without a network and with a data directory of its own, so that no database is
upgraded by a build that is only tried, and nothing of a project runs.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import process, scratch
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import ProcessError
from opencode_patcher.base.files import is_dir
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.text import shown
from opencode_patcher.configuration import logins, places
from opencode_patcher.configuration import report as reports
from opencode_patcher.configuration.check import ConfigProblem
from opencode_patcher.configuration.files import VARIABLE, ConfigFile
from opencode_patcher.configuration.report import Report
from opencode_patcher.models.catalogue import opencode_cache

TIMEOUT_SECONDS = 60.0

NOTES = ("agent", "agents", "command", "commands", "mode", "modes")
"""Directories with Markdown files whose heads are configuration (upstream's config/agent.ts and config/command.ts)."""

MOST_NOTES = 500
"""The most such files that are copied from one configuration directory."""

DATABASE = "opencode.db"

NO_NETWORK = "http://127.0.0.1:9"

_QUIET: Mapping[str, str] = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NO_NETWORK),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost,::1"),
    "OPENCODE_PURE": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "npm_config_offline": "true",
    "NO_COLOR": "1",
}
"""Variables for a program without plugins that fetches nothing but from its own server."""

_REFERENCE = re.compile(r"\{file:([^{}\n]+)\}")
_VALUE = re.compile(r""", got (?:"[^"]*"|\S+)""")
"""The wrong value in upstream's message. It may come from a variable or a file, so it could be a key."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class _Copy:
    """``place`` is the copy of what the user has as ``name``."""

    place: Path
    name: str


def ask(
    binary: Path,
    files: Iterable[ConfigFile],
    environment: Mapping[str, str],
    directory: Path,
    *,
    line: Line = OPENCODE_1,
) -> tuple[ConfigProblem, ...]:
    """What ``binary`` refuses among ``files``, which an OpenCode started in ``directory`` reads, and among the agents
    and commands beside them. Never raises.

    The program is started once, and once more for each file that it refuses; not at all if its ``line`` has no command
    for that.
    """
    if not line.checks:
        return ()
    with scratch.directory("config") as root:
        work, copies = _copy(root / "project", tuple(files), environment, directory)
        variables = _environment(root, environment, files)
        found: list[ConfigProblem] = []
        while True:
            try:
                done = process.run(
                    [binary, *line.checks], cwd=work, env=variables, check=False, timeout=TIMEOUT_SECONDS
                )
            except ProcessError as error:
                return (*found, _silent(binary, error.what))
            if not done.code:
                return tuple(found)
            said = _COLOUR.sub("", done.stderr + done.stdout)
            refused = next((copy for copy in _innermost(copies) if str(copy.place) in said), None)
            if refused is None:
                return (*found, _silent(binary, _last_line(said)))
            found.append(_problem(refused, said, copies))
            refused.place.unlink()
            copies.remove(refused)


def report(
    binary: Path,
    environment: Mapping[str, str],
    directory: Path,
    *,
    line: Line = OPENCODE_1,
    alone: bool = False,
) -> Report:
    """What ``binary`` sees in ``directory``; with ``alone``, also models that only one provider has.

    Raises ProcessError when it does not answer: it is too old, does not start, or refuses the configuration.
    """
    words = [*line.asks, *(["--all"] if alone else [])]
    with scratch.directory("ask") as root:
        others = {name: None for name in os.environ if name not in environment}
        variables = {**others, **environment, **_looking(root, environment, line)}
        done = process.run([binary, *words], cwd=directory, env=variables, check=False, timeout=TIMEOUT_SECONDS)
    try:
        return reports.parse(done.stdout)
    except DocumentError as error:
        said = [shown(line.strip()) for line in _COLOUR.sub("", done.stderr + done.stdout).splitlines() if line.strip()]
        # OpenCode 2 prints its whole help for a command that it does not know.
        brief = itertools.takewhile(lambda line: line not in ("DESCRIPTION", "USAGE"), said)
        plain = [line for line in brief if not line.startswith("Warning:")]
        knows = "combined" in done.stderr + done.stdout or not done.code
        raise ProcessError(
            f"{binary} does not say what it combines.",
            why=" ".join(plain)[:500] or f"{error}",
            next_step=(
                "opencode-patcher config --check"
                if knows
                else f"It may be too old: opencode-patcher build{'' if line is OPENCODE_1 else f' --line {line.major}'}"
            ),
        ) from error


def _looking(root: Path, environment: Mapping[str, str], line: Line) -> dict[str, str | None]:
    """The user's environment, but nothing of the user's is changed and nothing is fetched."""
    data, state = places.data_directory(environment), places.state_directory(environment)
    own = root / "data" / "opencode"
    own.mkdir(parents=True, mode=0o700)
    if data and (data / "auth.json").is_file():
        shutil.copyfile(data / "auth.json", own / "auth.json")
        (own / "auth.json").chmod(0o600)
    if data and line.login_tables:
        logins.copy(data / environment.get("OPENCODE_DB", DATABASE), own / DATABASE, line.login_tables)
    catalogue = opencode_cache(environment)
    return {
        "XDG_DATA_HOME": str(own.parent),
        "OPENCODE_DB": str(own / DATABASE),
        "XDG_CACHE_HOME": str(root / "cache"),
        # Where there is no state yet, none is made.
        **({} if state and is_dir(state) else {"XDG_STATE_HOME": str(root / "state")}),
        **({"OPENCODE_MODELS_PATH": str(catalogue)} if catalogue else {}),
        # With any content, even empty, upstream makes no configuration file.
        **({} if environment.get(places.CONTENT_VARIABLE) else {places.CONTENT_VARIABLE: "{}"}),
        "OPENCODE_COMBINED_LOOK": "1",
        **_QUIET,
    }


def _copy(
    top: Path, files: tuple[ConfigFile, ...], environment: Mapping[str, str], directory: Path
) -> tuple[Path, list[_Copy]]:
    """Copy each file into a directory of its own, one inside the other, as if they all belonged to one project. Returns
    the innermost directory and the copies.
    """
    (top / ".git").mkdir(parents=True)
    here, copies = top, []
    for file in files:
        origin = directory if file.name == places.CONTENT_VARIABLE else Path(file.name).parent
        name = Path(file.name).name if Path(file.name).name in places.OWN_NAMES else places.STOCK_NAMES[0]
        here = here / "in"
        here.mkdir()
        copy = here / (places.COMBINED_NAMES[0] if file.own and name not in places.COMBINED_NAMES else name)
        copy.write_text(_absolute(file.text, origin, environment), encoding="utf-8", errors="surrogateescape")
        copies.append(_Copy(place=copy, name=file.name))
    parents = dict.fromkeys(path.parent for path in places.files(environment, directory))
    user = places.config_directory(environment)
    for parent in (one for one in parents if one.name == ".opencode" or one == user):
        here = here / "in"
        here.mkdir()
        copies += _copy_notes(parent, here / ".opencode")
    return here, copies


def _copy_notes(origin: Path, target: Path) -> Iterator[_Copy]:
    notes = (note for name in NOTES for note in sorted((origin / name).rglob("*.md")))
    for _, note in zip(range(MOST_NOTES), notes, strict=False):
        copy = target / note.relative_to(origin)
        try:
            text = note.read_bytes()
        except OSError:
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(text)
        yield _Copy(place=copy, name=str(note))


def _absolute(text: str, origin: Path, environment: Mapping[str, str]) -> str:
    """The text with absolute paths for the files that it refers to."""

    def named(found: re.Match[str]) -> str:
        path = found[1]
        if path.startswith("~/"):
            return f"{{file:{environment.get('HOME', '~')}/{path[2:]}}}"
        return f"{{file:{origin / path}}}"

    return _REFERENCE.sub(named, text)


def _environment(root: Path, environment: Mapping[str, str], files: Iterable[ConfigFile]) -> dict[str, str | None]:
    """Its own directories, no network, and only those of the user's variables that the files name."""
    wanted = {name for file in files for name in VARIABLE.findall(file.text)}
    given = {name: environment[name] for name in wanted if name in environment}
    kept = {name: None for name in os.environ if name.startswith("OPENCODE_")}
    own = {f"XDG_{kind}_HOME": str(root / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    return {
        **kept,
        **given,
        **own,
        "HOME": str(root),
        "USERPROFILE": str(root),
        "OPENCODE_TEST_HOME": str(root),
        "OPENCODE_TEST_MANAGED_CONFIG_DIR": str(root / "none"),
        **_QUIET,
    }


def _innermost(copies: list[_Copy]) -> list[_Copy]:
    """Copies with longer paths first, because one path may be the beginning of another."""
    return sorted(copies, key=lambda copy: -len(str(copy.place)))


def _problem(refused: _Copy, said: str, copies: list[_Copy]) -> ConfigProblem:
    for copy in _innermost(copies):
        said = said.replace(str(copy.place), copy.name)
    # The whole text of a broken file follows, and there may be keys in it.
    said = re.sub(r"--- JSONC Input ---.*?--- Errors ---", "", said, flags=re.DOTALL)
    lines = (line.strip() for line in said.splitlines() if not line.startswith("Warning:"))
    plain = (_VALUE.sub("", line.removeprefix("Error: ").removeprefix("↳ ")) for line in lines if line)
    text = shown(" ".join(plain))[:500]
    return ConfigProblem(level="error", file=refused.name, line=None, text=f"OpenCode says: {text}", fix="Correct it.")


def _silent(binary: Path, why: str) -> ConfigProblem:
    text = f"{binary} could not be asked whether it accepts the configuration: {why}"
    return ConfigProblem(level="warning", file=None, line=None, text=text, fix="To see more: opencode debug config")


def _last_line(text: str) -> str:
    return next((shown(line.strip()) for line in reversed(text.splitlines()) if line.strip()), "It said nothing.")[:200]
