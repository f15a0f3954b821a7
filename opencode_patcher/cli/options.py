"""Each option and argument that more than one command has, declared once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opencode_patcher.base.errors import UsageError
from opencode_patcher.cli import completion

if TYPE_CHECKING:
    from opencode_patcher.base.line import Line

F = TypeVar("F", bound=Callable[..., Any])

ref_argument = click.argument("ref", required=False, shell_complete=completion.tags)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object to standard output.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show warnings and errors only.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Show the output of the programs that are run.")

source_option = click.option(
    "--source",
    metavar="URL|PATH",
    help="Git repository of OpenCode.  [default: the public one]",
)
no_wait_option = click.option(
    "--wait/--no-wait", default=True, help="Wait for another run to end, or fail at once.  [default: wait]"
)
web_ui_option = click.option(
    "--web-ui",
    type=click.Choice(("on", "off", "auto")),
    default="auto",
    show_default=True,
    help="Embed the web UI (auto: if possible). Without it, `opencode web` loads it from OpenCode's site.",
)
discard_edits_option = click.option("--discard-edits", is_flag=True, help="Discard manual changes in the work tree.")
keep_homes_option = click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the temporary homes there, with OpenCode's logs and database.",
)
report_option = click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the matrix of patches and releases to a file ending in .html, .md or .svg.",
)


line_option = click.option(
    "--line",
    "major",
    type=click.Choice(("1", "2")),
    help="The line of OpenCode: 1, or 2 (experimental).  [default: that of the release, else 1]",
)
patches_line_option = click.option(
    "--line",
    "major",
    type=click.Choice(("1", "2")),
    help="The line of OpenCode that the patches are for.  [default: 1; that of the open work tree, if there is one]",
)
package_option = click.option(
    "--package",
    "packages",
    metavar="NAME=VERSION",
    multiple=True,
    help="Use another version of a dependency than the release asks for, if your registry lacks that one.",
)


def line_of(major: str | None, refs: Iterable[str | None]) -> Line:
    """The line that is meant: ``major`` (--line), else that of the first release named in ``refs``, else the first.

    A release of another line than ``--line`` is refused where the releases are known.
    """
    from opencode_patcher.base import line
    from opencode_patcher.base.version import named_tag, version_of

    if major:
        return line.of_major(int(major))
    named = (line.of_version(version_of(named_tag(ref))) for ref in refs if ref)
    return next((one for one in named if one), line.OPENCODE_1)


def naming(line: Line) -> str:
    """How a suggested command names a line; "" for the line that commands take by default."""
    from opencode_patcher.base.line import OPENCODE_1

    return "" if line is OPENCODE_1 else f" --line {line.major}"


def require_packages(packages: Iterable[str]) -> None:
    """Raises UsageError when one is not NAME=VERSION."""
    for package in packages:
        name, _, version = package.rpartition("=")
        if not re.fullmatch(r"(?:@[\w.-]+/)?[\w.-]+", name) or not re.fullmatch(r"\d[\w.+-]*", version):
            raise UsageError(f"{package!r} is not a package and its version.", next_step="Write: --package NAME=1.2.3")


def _plain_name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,60}", value):
        raise UsageError(f"{value!r} cannot be the name of a command.", next_step="Use letters, digits, '-' and '_'.")
    return value


name_option = click.option(
    "--name",
    metavar="NAME",
    callback=_plain_name,
    help="The name of the command.  [default: opencode; for a build of OpenCode 2, opencode2]",
)


def file_option(name: str, text: str) -> Callable[[F], F]:
    """An option that names a file, which has to be there."""
    return click.option(name, type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE", help=text)


def catalog_option(default: str) -> Callable[[F], F]:
    """``--catalog``; ``default`` says in the help what is read without it."""
    return click.option(
        "--catalog",
        "--models-json",
        "catalog",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        metavar="FILE",
        help=f"Models catalogue, in the format of models.dev/api.json.  [default: {default}]",
    )


built_in_catalog_option = catalog_option("the newest one")
locked_option = click.option(
    "--locked", is_flag=True, help="Build in the models catalogue of the lock, not the newest one."
)
lookup_catalog_option = catalog_option("OpenCode's own, else the pinned one")
asked_binary_option = file_option("--binary", "The patched OpenCode to ask.  [default: the installed one]")


def dry_run_option(text: str, *other_names: str) -> Callable[[F], F]:
    """``--dry-run``: nothing is changed, and the exit code is 1 if something would change."""
    return click.option(
        "-n",
        "--dry-run",
        *other_names,
        "dry_run",
        is_flag=True,
        help=f"{text} The exit code is 1 if something would change.",
    )


def moved_option(name: str, command: str) -> Callable[[F], F]:
    """A former option that is now a ``command``. Using it is an error that names the command."""

    def refuse(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            raise UsageError(f"{name} is now a separate command.", next_step=f"opencode-patcher {command} {value}")

    return click.option(name, metavar="PATH", hidden=True, expose_value=False, is_eager=True, callback=refuse)


def progress_options(function: F) -> F:
    """``--quiet``, ``--verbose`` and ``--json`` together; they become ``quiet``, ``verbose`` and ``as_json``."""
    return json_option(quiet_option(verbose_option(function)))


def at_most_one(given: Mapping[str, object], *, next_step: str) -> None:
    """Raises UsageError when more than one option has a value. ``given`` has the values by the options' names."""
    names = [name for name, value in given.items() if value]
    if len(names) > 1:
        listed = f"{', '.join(names[:-1])} and {names[-1]}"
        raise UsageError(f"{listed} cannot be used together.", next_step=next_step)
