"""Everything about the user's OpenCode at once: files, providers, combined models, what is wrong.

A patched OpenCode is asked. Without one, only the files are checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base.errors import PatcherError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.configuration import asked, check, files
from opencode_patcher.configuration.check import ConfigProblem
from opencode_patcher.configuration.files import ConfigFile
from opencode_patcher.configuration.report import Mistake, Report


@dataclass(frozen=True, kw_only=True)
class Survey:
    """``report`` is None where no OpenCode could be asked; then ``silence`` says why, if it is an error."""

    files: tuple[ConfigFile, ...]
    findings: tuple[ConfigProblem, ...]
    report: Report | None = None
    silence: PatcherError | None = None

    @property
    def errors(self) -> tuple[ConfigProblem, ...]:
        return tuple(finding for finding in self.findings if finding.level == "error")


def survey(environment: Mapping[str, str], directory: Path, binary: Path | None, *, line: Line = OPENCODE_1) -> Survey:
    """Find what an OpenCode started in ``directory`` finds. Changes nothing, and never raises because of the files.

    ``binary`` is a patched OpenCode of a ``line``. It is not asked while the files have errors: it would not start.
    """
    found = files.read_all(environment, directory)
    findings = check.check_files(found)
    if binary is None or any(finding.level == "error" for finding in findings):
        return Survey(files=found, findings=findings)
    try:
        report = asked.report(binary, environment, directory, line=line)
    except PatcherError as error:
        return Survey(files=found, findings=findings, silence=error)
    mistakes = _mistakes(report, found, findings, environment, line)
    return Survey(files=found, findings=(*findings, *mistakes), report=report)


def _mistakes(
    report: Report,
    found: tuple[ConfigFile, ...],
    findings: tuple[ConfigProblem, ...],
    environment: Mapping[str, str],
    opencode: Line,
) -> Iterator[ConfigProblem]:
    """The mistakes that OpenCode finds, with their lines. Mistakes that were already found in the files are not
    repeated.
    """
    known = {(finding.file, finding.line) for finding in findings if "is not a setting" in finding.text}
    for one in report.mistakes:
        file = next((file for file in found if file.name == one.source), None)
        line = _line(file, one) if file else None
        if "is not a setting" not in one.text or (one.source, line) not in known:
            text = _without_values(one.text, file, environment)
            yield ConfigProblem(level="warning", file=one.source, line=line, text=text, fix=_fix(one.text, opencode))


def _line(file: ConfigFile, mistake: Mistake) -> int | None:
    """The line of the key at the start of the mistake's text, or of a value below that key which the text names."""
    path = tuple(mistake.text.partition(" ")[0].rstrip(":").split("."))
    words = mistake.text.partition(" ")[2].replace(",", " ").split()
    return file.line_of_value(path, {word.rstrip(".:") for word in words}) or file.line_of(path)


def _without_values(text: str, file: ConfigFile | None, environment: Mapping[str, str]) -> str:
    """The text with the names of variables instead of their values, which may be keys."""
    for name in files.VARIABLE.findall(file.text) if file else ():
        if value := environment.get(name):
            text = text.replace(value, f"{{env:{name}}}")
    return text


def _fix(text: str, opencode: Line) -> str:
    if "Did you mean" in text:
        return ""
    if "is not connected" in text or "too few providers" in text:
        return f"Log in to it: {opencode.login}"
    return "Correct or remove it."
