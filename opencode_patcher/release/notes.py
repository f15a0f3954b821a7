"""``RELEASE-NOTES.md`` and the install scripts: the templates in ``templates/release``, rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from opencode_patcher.drill import Report
from opencode_patcher.install import state
from opencode_patcher.patchset.render import render_document
from opencode_patcher.patchset.series import Patch
from opencode_patcher.release.manifest import Manifest

DIRECTORY = "release"
NOTES = "RELEASE-NOTES.md"
DRILL_HEADING = "## Drill"
"""The last section of the notes, if a binary of the release was drilled."""

_SUFFIX = ".j2"


def render(templates: Path, values: Mapping[str, object]) -> dict[str, str]:
    """The text of each file in ``templates/release`` by its name without ``.j2``; directories in there have parts that
    the files include. Raises PatchError.
    """
    names = (path.name.removesuffix(_SUFFIX) for path in sorted((templates / DIRECTORY).glob(f"*{_SUFFIX}")))
    return {name: render_one(templates, name, values) for name in names}


def render_one(templates: Path, name: str, values: Mapping[str, object]) -> str:
    """The text of the file ``name`` of ``templates/release``. Raises PatchError."""
    path = templates / DIRECTORY / f"{name}{_SUFFIX}"
    return render_document(f"{DIRECTORY}/{path.name}", path.read_text(encoding="utf-8"), values, path.parent)


def values(manifest: Manifest, patches: Sequence[Patch], report: Report | None) -> dict[str, object]:
    """What the templates may use; ``report`` is the drill of this machine's binary; None when there was no drill."""
    return {
        "tool_version": manifest.tool_version,
        "repository": manifest.published.repository,
        "release": manifest.published.release,
        "tag": manifest.release.tag,
        "version": manifest.release.number,
        "commit": manifest.release.commit,
        "patchset": manifest.patchset[:12],
        "bun": manifest.bun,
        "catalogue": manifest.catalogue,
        "program": manifest.line.program,
        "workflow": manifest.line.release_workflow,
        "state": state.file_name(manifest.line.program),
        "web_ui": manifest.web_ui,
        "has_web_ui": manifest.line.web_ui != "",
        "lacks": manifest.lacks,
        "targets": [artifact.target for artifact in manifest.artifacts],
        "an_archive": manifest.artifacts[0].archive.name,
        "archives": [
            {
                "target": artifact.target,
                "name": artifact.archive.name,
                "sha256": artifact.archive.sha256,
                "megabytes": f"{artifact.archive.size / 1e6:.1f}",
                "binary": manifest.target(artifact).binary,
                "binary_sha256": artifact.binary.sha256,
                "without": list(artifact.without),
            }
            for artifact in manifest.artifacts
        ],
        "patches": [
            {"name": patch.name, "subject": patch.header.subject, "why": _cell(patch.header.why)} for patch in patches
        ],
        "drill": _drill(report),
    }


def _drill(report: Report | None) -> dict[str, object] | None:
    if report is None:
        return None
    from opencode_patcher.drill.verdict.report import summary

    return {
        "summary": summary(report),
        "rows": [
            {
                "title": _cell(row.title),
                "seen": _cell(row.seen),
                "failover_ms": None if row.failover_ms is None else round(row.failover_ms),
                "passed": row.passed,
            }
            for row in report.verdicts
        ],
    }


def _cell(text: str) -> str:
    """A text for a cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())
