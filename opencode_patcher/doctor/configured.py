"""The user's configuration, providers and combined models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from opencode_patcher.configuration.check import ConfigProblem
from opencode_patcher.configuration.stock_config import Lines
from opencode_patcher.configuration.survey import Survey
from opencode_patcher.doctor.finding import Finding, Level

CHECK = "configuration"


def check_configuration(found: Iterable[ConfigProblem]) -> Iterator[Finding]:
    """What ``opencode-patcher config`` finds wrong in the files."""
    for one in found:
        level: Level = "blocks" if one.level == "error" else "warning"
        text = f"{one.where}: {one.text}" if one.where else one.text
        yield Finding(check=CHECK, level=level, text=text, fix=one.fix)


def check_providers(survey: Survey) -> Iterator[Finding]:
    """Whether any model is combined for the user's providers."""
    check = "providers"
    if survey.logins.problem:
        yield Finding(check=check, level="warning", text=survey.logins.problem, fix=survey.logins.fix)
    if survey.errors:
        return
    names = ", ".join(provider.id for provider in survey.connected) or "none"
    if survey.groups:
        yield Finding(check=check, level="good", text=f"{len(survey.groups)} combined models of {names}.")
        return
    text = f"No two of your providers ({names}) offer the same model, so nothing is combined."
    fix = "Log in to another provider that has the model you use: opencode auth login"
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
