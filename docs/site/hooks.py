"""What the site has beyond the pages of ``docs/``: the README and the changelog, anchors as on GitHub, and links to
files that are in the repository but not on the site.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
FROM_ROOT = {"index.md": ROOT / "README.md", "changelog.md": ROOT / "CHANGELOG.md"}
REPOSITORY = os.environ.get("GITHUB_REPOSITORY", "")
"""OWNER/NAME, which GitHub sets in a workflow. Without it, links that lead out of the site become plain text."""

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?://|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_CODE_IN_TABLE = re.compile(r"^\|.*`.*$", re.MULTILINE)
_CODE = re.compile(r"`[^`]+`")
_log = logging.getLogger("mkdocs.hooks.links")


def on_config(config: Any) -> Any:
    """Headings get the anchors that they have on GitHub."""
    config.mdx_configs["toc"]["slugify"] = lambda title, _: re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    if REPOSITORY:
        config.repo_url = f"https://github.com/{REPOSITORY}"
    return config


def on_files(files: Any, config: Any) -> Any:
    """The README is the first page."""
    for name, path in FROM_ROOT.items():
        files.append(File.generated(config, name, content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Links as the site needs them. One that leads to no file is a warning, and these fail the build."""
    source = FROM_ROOT.get(page.file.src_uri, DOCS / page.file.src_uri)
    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _adapted(part, source) for part in parts)


def _adapted(text: str, source: Path) -> str:
    text = _LINK.sub(lambda found: _link(found, source), text)
    # GitHub wants a backslash before a bar in a cell, Python-Markdown shows it.
    return _CODE_IN_TABLE.sub(lambda line: _CODE.sub(lambda code: code[0].replace("\\|", "|"), line[0]), text)


def _link(found: re.Match[str], source: Path) -> str:
    mark, text, path, anchor = found[1], found[2], found[3], found[4] or ""
    target = (source.parent / path).resolve()
    if not target.exists():
        _log.warning("%s: the link to '%s' leads nowhere", source.relative_to(ROOT), path)
    if page := {file: name for name, file in FROM_ROOT.items()}.get(target):
        return f"{mark}[{text}]({page}{anchor})"
    if target.is_relative_to(DOCS):
        return f"{mark}[{text}]({target.relative_to(DOCS).as_posix()}{anchor})"
    if REPOSITORY:
        return (
            f"{mark}[{text}](https://github.com/{REPOSITORY}/blob/main/{target.relative_to(ROOT).as_posix()}{anchor})"
        )
    return text
