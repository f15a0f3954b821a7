"""The results as a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.peers.play import Played
from opencode_patcher.drill.scenarios.selection import select

SWITCH = re.compile(r"takes over|switched|fallback|failover", re.IGNORECASE)
"""How a notice says that another provider answers."""


def page(seen: Sequence[Played], names: Sequence[str]) -> str:
    """A summary of each peer, and a table of what each scenario looked like to the user."""
    peers = list(dict.fromkeys(one.peer for one in seen))
    found = {(one.peer, one.scenario): one for one in seen}
    scenarios = {one.name: one for one in select(names)}
    failing = [name for name in scenarios if not name.startswith("healthy")]
    lines = ["| | " + " | ".join(peers) + " |", "|---|" + "---|" * len(peers)]

    def row(title: str, cells: list[str]) -> None:
        lines.append(f"| {title} | " + " | ".join(cells) + " |")

    def of(peer: str) -> list[Played]:
        return [found[peer, name] for name in failing if (peer, name) in found]

    def every(peer: str) -> list[Played]:
        return [one for one in seen if one.peer == peer]

    def moved(peer: str) -> int:
        return sum(_moved(one) for one in of(peer))

    row("the whole answer came", [f"{sum(one.answered for one in of(peer))} of {len(of(peer))}" for peer in peers])
    row("as if nothing had failed", [f"{sum(one.clean for one in of(peer))} of {len(of(peer))}" for peer in peers])
    row("broken or doubled text is left", [str(sum(bool(one.leftovers) for one in of(peer))) for peer in peers])
    row("a tool ran again", [str(sum(one.tools > one.planned for one in of(peer))) for peer in peers])
    row("your message was sent again", [str(sum(one.asked > 1 for one in of(peer))) for peer in peers])
    row("longest wait for an answer", [_seconds([one.seconds for one in of(peer) if one.seconds]) for peer in peers])
    row("told you who answers", [f"{sum(_tells(one) for one in of(p) if _moved(one))} of {moved(p)}" for p in peers])
    row(
        "said that it switched, and had not",
        [str(sum(_tells(one) and not _moved(one) for one in every(p))) for p in peers],
    )
    lines += ["", "| what goes wrong | " + " | ".join(peers) + " |", "|---|" + "---|" * len(peers)]
    for name, scenario in scenarios.items():
        row(scenario.title, [_cell(found.get((peer, name))) for peer in peers])
    return "\n".join(lines)


def _moved(one: Played) -> bool:
    """Whether a provider other than the first was asked."""
    return "beta" in one.requests


def _tells(one: Played) -> bool:
    return any(SWITCH.search(notice) for notice in one.notices)


def _seconds(values: Sequence[float]) -> str:
    return f"{max(values):.0f} s" if values else "none"


def _cell(one: Played | None) -> str:
    if one is None:
        return "not played"
    said = []
    if not one.answered:
        said.append("no answer" if one.error else "no whole answer")
    elif one.seconds is not None:
        said.append(f"{one.seconds:.0f} s")
    if one.leftovers:
        said.append("broken or doubled text left")
    if one.tools != one.planned:
        said.append(f"tool ran {one.tools} times" if one.tools > 1 else "tool did not run")
    if one.asked > 1:
        said.append("message sent again")
    return ", ".join(said)
