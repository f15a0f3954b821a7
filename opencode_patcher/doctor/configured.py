"""The user's configuration, providers and combined models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from opencode_patcher.configuration.check import ConfigProblem
from opencode_patcher.configuration.stock_config import Lines
from opencode_patcher.configuration.survey import Survey
from opencode_patcher.doctor.finding import Finding, Level, of_error
from opencode_patcher.install.usable import Usable

CHECK = "configuration"


def check_configuration(found: Iterable[ConfigProblem]) -> Iterator[Finding]:
    """What ``opencode-patcher config`` finds wrong in the files."""
    for one in found:
        level: Level = "blocks" if one.level == "error" else "warning"
        text = f"{one.where}: {one.text}" if one.where else one.text
        yield Finding(check=CHECK, level=level, text=text, fix=one.fix)


def check_providers(survey: Survey, asked: Usable | None) -> Iterator[Finding]:
    """Which providers OpenCode uses, and whether any model is combined for them, as the program ``asked`` said."""
    check = "providers"
    if survey.errors:
        return
    report = survey.report
    if survey.silence:
        yield of_error(check, survey.silence, level="warning")
    if report is None or asked is None:
        if not survey.silence:
            text = "Only a patched OpenCode knows which providers and combined models you have, and there is none here."
            yield Finding(check=check, level="unknown", text=text, fix="opencode-patcher build")
        return
    for login in report.unused_logins:
        text = f"The login to {login.id} is not used: {login.why}."
        yield Finding(check=check, level="warning", text=text, fix="To remove it: opencode auth logout")
    names = ", ".join(provider.id for provider in report.providers) or "none"
    if report.models:
        count = len(report.models)
        text = f"{count} combined model{'' if count == 1 else 's'} of {names} (asked: {asked.what})."
        yield Finding(check=check, level="good", text=text)
        return
    text = f"No two of your providers ({names}) offer the same model, so nothing is combined."
    fix = f"Log in to another provider that has the model you use: {asked.line.login}"
    if report.off:
        text, fix = f"Nothing is combined: {report.off}.", "If you did not mean that, change it."
    yield Finding(check=check, level="warning", text=text, fix=fix)


def check_stock_lines(refused: Sequence[Lines], program: str | None) -> Iterator[Finding]:
    """Lines that the shell's ``program`` refuses, if that is a stock OpenCode."""
    if program is None:
        return
    for one in refused:
        numbers = ", ".join(str(number) for number, _ in one.lines)
        text = f"{one.name}: {program} is a stock OpenCode and refuses line {numbers}."
        fix = "Start the patched one (see PATH and installed), or remove the lines."
        yield Finding(check=CHECK, level="blocks", text=text, fix=fix)
