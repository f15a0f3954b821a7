"""``opencode-patcher config``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base import files
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.configuration.advice import Advice
    from opencode_patcher.configuration.check import ConfigProblem
    from opencode_patcher.configuration.report import Report
    from opencode_patcher.configuration.survey import Survey
    from opencode_patcher.install.usable import Usable

SHOWN_GROUPS = 12
"""How many combined models are shown. Two large providers have hundreds in common."""


@click.command
@click.option("--check", "check_only", is_flag=True, help="Only check the existing configuration.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of combined.json, for editors.")
@options.asked_binary_option
@options.json_option
@click.pass_context
def command(ctx: click.Context, check_only: bool, schema: bool, binary: Path | None, as_json: bool) -> None:
    """Show the lines to add to combined.json for your providers, and check the existing configuration.

    combined.json is read after the opencode.json of the same directory, and only by a patched OpenCode.

    A patched OpenCode is asked which providers and combined models it has in the current directory: the installed one,
    else the newest verified build. It runs without plugins and without a network. Nothing is written, and no key is
    shown. With --check, it is also asked whether it accepts copies of the files. The exit code is 1 when OpenCode would
    refuse the configuration.
    """
    if schema:
        from opencode_patcher.models import json_schema

        output.show_json(json_schema.of_file())
        return
    import os
    from dataclasses import replace

    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.line import OPENCODE_1
    from opencode_patcher.cli import asking
    from opencode_patcher.configuration import advice, asked, places
    from opencode_patcher.configuration.survey import survey

    usable = asking.usable(binary)
    line = usable.line if usable else OPENCODE_1
    found = survey(os.environ, working_directory(), usable.file if usable else None, line=line)
    if check_only and usable:
        wrong = {finding.file for finding in found.errors}
        accepted = [file for file in found.files if file.name not in wrong]
        refused = asked.ask(usable.file, accepted, os.environ, working_directory(), line=line)
        found = replace(found, findings=(*found.findings, *refused))
    file = places.combined_file(os.environ)
    proposal = advice.advise(found.files, found.report, file) if found.report else None
    if as_json:
        output.show_json(as_data(found, proposal, file, usable))
    else:
        if not check_only:
            show(found, proposal, file, usable)
            output.echo()
        show_findings(found.findings, files=len(found.files))
    ctx.exit(1 if found.errors else 0)


def as_data(found: Survey, proposal: Advice | None, file: Path | None, usable: Usable | None) -> dict[str, object]:
    """What ``--json`` prints. ``add`` has to be merged into ``file``, which has none of it yet. Without an OpenCode to
    ask, ``asked`` is null, and nothing is known of providers and models.
    """
    from dataclasses import asdict

    report = found.report
    return {
        "asked": str(usable.file) if usable and report else None,
        "files": [one.name for one in found.files],
        "providers": [
            {"id": one.id, "login": one.login, "shown": one.shown, "models": one.models}
            for one in (report.providers if report else ())
        ],
        "combined": [
            {"model": f"combined/{model.id}", "own": model.own, "members": [member.key for member in model.members]}
            for model in (report.models if report else ())
        ],
        "unused_logins": [asdict(one) for one in (report.unused_logins if report else ())],
        "off": (report.off or None) if report else None,
        "file": str(file) if file else None,
        "add": dict(proposal.add) if proposal else {},
        "change": [asdict(change) for change in proposal.changes] if proposal else [],
        "findings": [
            {"level": one.level, "file": one.file, "line": one.line, "text": one.text, "fix": one.fix or None}
            for one in found.findings
        ],
    }


def show(found: Survey, proposal: Advice | None, file: Path | None, usable: Usable | None) -> None:
    """Show the providers, what is combined, and the lines to add."""
    from opencode_patcher.cli import asking

    report = found.report
    if report is None or proposal is None:
        if not found.errors:
            asking.explain_silence(found.silence)
        return
    assert usable
    output.echo(f"Asked: {usable.what}.")
    for login in report.unused_logins:
        output.echo(f"The login to {login.id} is not used: {login.why}.")
    if report.plugins:
        output.echo(f"Plugins were not loaded, so what they add is not counted: {', '.join(report.plugins)}.")
    if not report.providers:
        output.echo(f"No provider is connected. Log in to two or more that offer the same model: {usable.line.login}")
        return
    output.echo("Your providers:")
    for provider in report.providers:
        output.echo(f"  {provider.id}  ({provider.shown}, {provider.models} models)")
    output.echo()
    if report.off:
        output.echo(f"Nothing is combined: {report.off}.")
        return
    if not report.models:
        output.echo("No two of them offer the same model, so nothing is combined yet.")
        output.echo(f"Log in to another provider that has the model you use: {usable.line.login}")
        return
    output.echo(f"Combined models: {len(report.models)}")
    # The user's own first, then those with the most providers, which are the most useful.
    best = sorted(report.models, key=lambda model: (not model.own, -len(model.providers)))
    for model in best[:SHOWN_GROUPS]:
        output.echo(f"  combined/{model.id}  ({', '.join(model.providers)})")
    if len(best) > SHOWN_GROUPS:
        output.echo("  ... all of them: opencode-patcher models groups")
    _show_who_sees_it(report, proposal)
    _show_lines(proposal, file)


def _show_who_sees_it(report: Report, proposal: Advice) -> None:
    output.echo()
    output.echo("A failover sends the whole conversation to the next provider, a company with its own terms.")
    if report.unpromised:
        names = ", ".join(report.unpromised)
        output.echo(f"Not known to promise what combined.require asks for, so left out: {names}.")
    asked = {member.provider for model in report.models for member in model.members if member.is_free}
    left_out = {key.partition("/")[0] for key in report.left_out}
    named = left_out & set(proposal.add.get("provider_priority", ()))
    if asked:
        output.echo(f"Free offers, whose terms for your data differ, are among them: {', '.join(sorted(asked))}.")
    if left_out - named:
        names = ", ".join(sorted(left_out - named))
        output.echo(f"Free offers are left out, because their terms for your data differ: {names}.")
        output.echo("To use them, name their provider in provider_priority.")
    if named:
        output.echo(f"The lines below name {', '.join(sorted(named))}, whose free offers are then asked as well.")
    if asked or named:
        output.echo('To leave them out: "combined": {"variants": ["region", "host", "confidential"]}')


def _show_lines(proposal: Advice, file: Path | None) -> None:
    from opencode_patcher.configuration.advice import SCHEMA_NAME, as_json

    if proposal.add:
        there = bool(file and files.is_file(file) and files.read_text(file, errors="replace").strip())
        output.echo()
        output.echo(f"Add this to {file or 'combined.json'}" + (", right after the first {:" if there else ":"))
        for line in proposal.lines(whole=not there):
            output.echo(line)
        output.echo("The order is a suggestion. A stock OpenCode does not read this file.")
        if not there and file:
            output.echo(f"For completion in editors: opencode-patcher config --schema > {file.parent / SCHEMA_NAME}")
    for change in proposal.changes:
        where = change.file if change.line is None else f"line {change.line} of {change.file}"
        reason = "To use your model as a combined one" if change.key == "model" else "To choose who is asked first"
        output.echo()
        output.echo(f"{reason}, change {where} to:")
        output.echo(f"  {as_json(change.key, change.value)}")
    if not proposal.add and not proposal.changes:
        output.echo()
        output.echo("Your configuration needs no changes.")


def show_findings(findings: Sequence[ConfigProblem], *, files: int) -> None:
    """Show what is wrong, each with its place and what to do."""
    if not findings:
        output.echo(f"Checked: {files} configuration file{'' if files == 1 else 's'}, nothing wrong.")
        return
    for finding in findings:
        colour = "red" if finding.level == "error" else "yellow"
        where = f"{finding.where}: " if finding.where else ""
        output.echo(output.paint(finding.level, colour, bold=True), f": {where}{finding.text}")
        if finding.fix:
            output.echo(f"  {finding.fix}")
