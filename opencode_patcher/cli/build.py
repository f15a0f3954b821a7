"""``opencode-patcher build``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.base.request import WebUi
    from opencode_patcher.install.builds import DrillResult
    from opencode_patcher.pipeline import Built


@click.command
@options.ref_argument
@click.option("--latest", is_flag=True, help="Build the newest release of the line.")
@options.line_option
@options.source_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Copy the binary and its manifest there as well.",
)
@options.built_in_catalog_option
@options.locked_option
@options.web_ui_option
@options.package_option
@options.discard_edits_option
@options.no_wait_option
@options.progress_options
def command(
    ref: str | None,
    latest: bool,
    major: str | None,
    source: str | None,
    out: Path | None,
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
    """Build OpenCode with combined models and verify that it works.

    REF is a release tag such as v1.18.3; without it, the release in the lock is built. One that is newer than that is
    unproven: it is checked first, and has to pass the whole drill. Steps that are already done are not repeated.
    """
    from opencode_patcher import pipeline
    from opencode_patcher.base import resources
    from opencode_patcher.base.request import Request
    from opencode_patcher.base.store import open_store

    options.at_most_one({"REF": ref, "--latest": latest}, next_step="Leave one of them out.")
    options.at_most_one({"--catalog": catalog, "--locked": locked}, next_step="Leave one of them out.")
    options.require_packages(packages)
    line = options.line_of(major, [ref])
    request = Request(
        line=line,
        patches=resources.patches(line),
        source=source or line.source,
        packages=packages,
        ref=ref,
        latest=latest,
        models_json=catalog,
        locked=locked,
        web_ui=web_ui if line.web_ui else "off",
        discard_edits=discard_edits,
        wait=wait,
    )
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    if line.experimental:
        reporter.note(line.experimental)
    built = pipeline.build(request, open_store(), reporter)
    copy = pipeline.copy_out(built.build, out) if out else None
    if as_json:
        output.show_json(as_data(built, copy))
    elif not quiet:
        show(built, copy)


def as_data(built: Built, copy: Path | None) -> dict[str, object]:
    """What ``--json`` prints: where the binary is and what is in it."""
    build = built.build
    made = build.ingredients
    return {
        "binary": str(build.binary),
        "copy": str(copy) if copy else None,
        "reused": built.reused,
        "release": {"tag": made.release.tag, "commit": made.release.commit},
        "patchset": made.patchset,
        "bun": made.bun,
        "catalogue": made.catalogue,
        "catalogue_origin": made.catalogue_origin,
        "web_ui": made.web_ui,
        "lacks": list(made.lacks),
        "packages": list(made.packages),
        "target": made.target,
        "sha256": build.sha256,
        "size": build.size,
        "drill": drill_data(build.drill) if build.drill else None,
    }


def drill_data(drill: DrillResult) -> dict[str, object]:
    """What ``--json`` says of the drill; ``whole`` when all scenarios were played."""
    return {"passed": list(drill.passed), "failed": list(drill.failed), "whole": drill.whole}


def show(built: Built, copy: Path | None) -> None:
    """Say what was built, where it is and how to install it."""
    build = built.build
    drill = build.drill
    assert drill is not None
    what = "was built before and is unchanged" if built.reused else "is built"
    output.echo(f"OpenCode {build.release.number} with combined models {what}.")
    speed = f", next provider asked after {drill.failover_ms:.0f} ms" if drill.failover_ms else ""
    output.echo(f"Verified: {len(drill.passed)} of {len(drill.passed)} scenarios{speed}.")
    for lack in build.ingredients.lacks:
        output.paragraph(lack)
    if build.ingredients.packages:
        output.paragraph(
            f"Dependencies in other versions than the release asks for: {', '.join(build.ingredients.packages)}."
        )
    output.echo(f"Binary: {build.binary}")
    if copy:
        output.echo(f"Copy:   {copy}")
    output.echo("To use it: opencode-patcher install")
