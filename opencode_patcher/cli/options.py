"""Each option of the command line, declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object to standard output.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show warnings and errors only.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Show the output of the programs that are run.")


def catalog_option(default: str) -> Callable[[F], F]:
    """``--catalog``; ``default`` says for people what is read without it."""
    return click.option(
        "--catalog",
        "--models-json",
        "catalog",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        metavar="FILE",
        help=f"Models catalogue, in the format of models.dev/api.json.  [default: {default}]",
    )


built_in_catalog_option = catalog_option("the pinned one")
lookup_catalog_option = catalog_option("OpenCode's own, else the pinned one")
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Copy the binary and its manifest there as well.",
)
source_option = click.option(
    "--source",
    metavar="URL|PATH",
    help="Git repository of OpenCode.  [default: the public one]",
)
no_wait_option = click.option(
    "--wait/--no-wait", default=True, help="Wait for another run to end, or fail at once.  [default: wait]"
)


def progress_options(function: F) -> F:
    """``--quiet``, ``--verbose`` and ``--json`` together; they become ``quiet``, ``verbose`` and ``as_json``."""
    return json_option(quiet_option(verbose_option(function)))
