"""Links between the pages lead somewhere, and the commands that they name exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from opencode_patcher.cli import main

ROOT = Path(__file__).parents[1]
PATTERNS = ("*.md", "docs/*.md", ".github/*.md", "templates/**/*.md")
PAGES = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")


COMMAND = re.compile(r"^(?:\$ )?(?:\S*/)?opencode-patcher (.+)$")
TARGET = re.compile(r"(?:^|`)make ([a-z-]+)")


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of the headings of ``page``."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for path, anchor in LINK.findall(text):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{path} does not exist"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{path}#{anchor} does not exist"


def commands(page: Path) -> Iterator[str]:
    """What ``page`` says to type after ``opencode-patcher``: in examples, without their remarks, and in the text."""
    text = page.read_text(encoding="utf-8")
    lines = [re.split(r"\s#|\s{3,}", line)[0] for block in FENCE.findall(text) for line in block.splitlines()]
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCE.sub("", text))]
    for said in (*lines, *spans):
        if found := COMMAND.match(said):
            yield re.split(r" [>|&]|[;&]", found[1])[0]


def missing(said: str) -> str:
    """What of a command and its options does not exist; empty if all of it does."""
    command: click.Command = main
    for word in shlex.split(said):
        if word.startswith("--"):
            known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
            if word.partition("=")[0] not in known | {"--help", "--version"}:
                return word
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z-]+", word):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return word
            command = found
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_exists(page: Path) -> None:
    assert {said: wrong for said in commands(page) if (wrong := missing(said))} == {}
    rules = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(TARGET.findall(page.read_text(encoding="utf-8"))) <= {*rules, "sure"}


def test_a_command_that_does_not_exist_is_found() -> None:
    assert [missing(said) for said in ("biuld", "health purge", "build --lates", "health clear alpha --file x")] == [
        "biuld",
        "purge",
        "--lates",
        "",
    ]
