"""What this process was started with: its directory, and which variables the programs we run get to see."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from opencode_patcher.base.errors import UsageError

_KEPT_GIT_VARIABLES = frozenset(
    {
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
        "GIT_TERMINAL_PROMPT",
    }
)
_KEPT_GIT_PREFIXES = (
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
    "GIT_HTTP_",
    "GIT_PROXY_",
    "GIT_SSH",
    "GIT_SSL_",
    "GIT_TRACE",
)


def is_foreign_git_variable(name: str) -> bool:
    """Whether an environment variable would point git at a repository other than the one we name.

    A caller that itself runs inside git (a hook, ``git rebase --exec``) exports GIT_DIR, GIT_INDEX_FILE and more. How
    to reach a server (proxy, ssh, certificates) and which configuration to read are left to the user.
    """
    if not name.startswith("GIT_") or name in _KEPT_GIT_VARIABLES:
        return False
    return not name.startswith(_KEPT_GIT_PREFIXES)


def pinned_to(git_dir: Path) -> dict[str, str]:
    """Variables that make git read the objects of the bare repository ``git_dir`` and no others.

    For GitPython, which passes this process's environment on and can only add to it. They are the variables that say
    where objects are and how to read them (git's manual, "The Git Repository", and gitrepository-layout).
    """
    path = str(git_dir)
    return {
        "GIT_DIR": path,
        "GIT_COMMON_DIR": path,
        "GIT_WORK_TREE": path,
        "GIT_OBJECT_DIRECTORY": str(git_dir / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_REPLACE_REF_BASE": "refs/replace/",
        "GIT_TERMINAL_PROMPT": "0",
    }


def neutral_directory() -> Path:
    """Where programs run that need no particular directory. Not where the user happens to be: many programs load
    settings, plugins or modules from there.
    """
    return Path(Path(sys.executable).anchor or os.sep)


def working_directory() -> Path:
    """The current directory. Raises UsageError when it was deleted, or a directory above it cannot be read."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("The current directory no longer exists.", next_step="Change to another one: cd") from error
    except OSError as error:
        raise UsageError(
            "The current directory cannot be determined.",
            why=f"{error.strerror}.",
            next_step="Change to another one: cd",
        ) from error


def home_directory(environment: Mapping[str, str]) -> Path | None:
    """The user's home, as OpenCode finds it (bun's ``os.homedir``): ``HOME``, on Windows ``USERPROFILE``, else what the
    system's list of users says; None when the user is not on it.
    """
    if sys.platform == "win32":
        home = environment.get("USERPROFILE")
        return Path(home) if home else None
    if home := environment.get("HOME"):
        return Path(home)
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def scrubbed(extra: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """This process's environment without git variables that point elsewhere, plus ``extra``.

    A variable that ``extra`` maps to None is left out. ``PATH`` keeps its absolute directories only, as in
    ``search_path``.
    """
    variables = {name: value for name, value in os.environ.items() if not is_foreign_git_variable(name)}
    for name, value in (extra or {}).items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
    if "PATH" in variables:
        variables["PATH"] = search_path(variables["PATH"])
    return variables


def only(names: Collection[str]) -> dict[str, str | None]:
    """The ``extra`` that makes ``scrubbed`` leave out every variable of this process that is not in ``names`` (in
    capitals)."""
    return {name: None for name in os.environ if name.upper() not in names}


def search_path(path: str) -> str:
    """A ``PATH`` without entries that mean the current directory or are relative to it: somebody else may have written
    the programs there.
    """
    return os.pathsep.join(part for part in path.split(os.pathsep) if Path(part).is_absolute())


def find_program(name: str, path: str | None = None) -> Path | None:
    """The program ``name`` in the absolute directories of ``path`` (by default this process's ``PATH``)."""
    path = os.environ.get("PATH", os.defpath) if path is None else path
    for directory in search_path(path).split(os.pathsep):
        # Given a full path, Windows does not look in the current directory first.
        if directory and (found := shutil.which(str(Path(directory, name)))):
            return Path(found)
    return None
