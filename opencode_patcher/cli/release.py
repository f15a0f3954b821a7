"""``opencode-patcher release``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import completion, options, output

if TYPE_CHECKING:
    from opencode_patcher.base.progress import Reporter
    from opencode_patcher.base.request import WebUi
    from opencode_patcher.drill import Report
    from opencode_patcher.release import Made


@click.command
@options.ref_argument
@click.option(
    "--target",
    "names",
    multiple=True,
    required=True,
    metavar="all|NAME",
    help="A platform such as linux-x64-musl; can be repeated. `all` means every platform OpenCode is released for.",
    shell_complete=completion.targets,
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the release is written. An older release there is replaced.",
)
@options.moved_option("--verify", "reproduce")
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Build a target even if optional native packages are not available for it.",
)
@click.option(
    "--drill",
    "drill_set",
    type=click.Choice(["quick", "all"]),
    default="quick",
    show_default=True,
    help="The scenarios that the binary for this machine has to pass; all if REF is newer than the lock's release.",
)
@click.option(
    "--repository",
    default="",
    metavar="OWNER/NAME",
    help="Where the release will be published on GitHub; the install scripts download it from there.",
)
@click.option("--release", "tag", default="", metavar="TAG", help="The tag of the release in that repository.")
@options.line_option
@options.source_option
@options.built_in_catalog_option
@options.locked_option
@options.web_ui_option
@options.package_option
@options.discard_edits_option
@options.no_wait_option
@options.progress_options
def command(
    ref: str | None,
    names: tuple[str, ...],
    out: Path,
    allow_missing: bool,
    drill_set: str,
    repository: str,
    tag: str,
    major: str | None,
    source: str | None,
    catalog: Path | None,
    locked: bool,
    web_ui: WebUi,
    packages: tuple[str, ...],
    discard_edits: bool,
    wait: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Make a release: archives for all platforms, checksums, a bill of materials, notes and notices.

    REF is a release tag of OpenCode such as v1.18.3; without it, the locked release is used. All platforms are built on
    this machine; the binary that runs here is drilled. Nothing is published.
    """
    from opencode_patcher import drill, pipeline, release
    from opencode_patcher.base import resources
    from opencode_patcher.base.request import Request
    from opencode_patcher.base.store import open_store
    from opencode_patcher.toolchain import targets

    options.require_packages(packages)
    line = options.line_of(major, [ref])

    def drilled(binary: Path, reporter: Reporter) -> Report:
        return drill.run(binary, drill.select((), quick=drill_set == "quick"), reporter=reporter)

    def wholly_drilled(binary: Path, reporter: Reporter) -> Report:
        return drill.run(binary, drill.select(()), reporter=reporter)

    order = release.Order(
        request=Request(
            line=line,
            patches=resources.patches(line),
            source=source or line.source,
            packages=packages,
            ref=ref,
            models_json=catalog,
            locked=locked,
            web_ui=web_ui if line.web_ui else "off",
            discard_edits=discard_edits,
            wait=wait,
        ),
        targets=targets.select(names, line.program),
        allow_missing=allow_missing,
        published=release.Published(repository=repository, release=tag),
    )
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    if line.experimental:
        reporter.note(line.experimental)
    made = pipeline.release(order, out, open_store(), reporter, drilled, whole=wholly_drilled)
    if as_json:
        output.show_json(as_data(made))
    elif not quiet:
        show(made)


def as_data(made: Made) -> dict[str, object]:
    """What ``--json`` prints about a new release: where it is, its manifest, and the drill."""
    from opencode_patcher.drill.verdict.report import as_json
    from opencode_patcher.release import manifest

    return {
        "directory": str(made.directory),
        "manifest": manifest.as_data(made.manifest),
        "drill": as_json(made.report) if made.report else None,
    }


def show(made: Made) -> None:
    """Show the archives, the drill's result, and how to check them."""
    from opencode_patcher.drill.verdict.report import summary

    output.show_table(
        ("target", "archive", "MB", "binary MB"),
        (
            (one.target, one.archive.name, f"{one.archive.size / 1e6:.1f}", f"{one.binary.size / 1e6:.1f}")
            for one in made.manifest.artifacts
        ),
    )
    if made.report:
        output.block(summary(made.report))
    output.echo(f"The release is in {made.directory}")
    output.echo(f"To rebuild it and compare: opencode-patcher reproduce {made.directory}")
