"""``python -m bench.peers``: play the scenarios with every peer that is named, and print the results."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from bench.peers.peers import LiteLLM, OhMyOpenCode, Patched, Patched2, Peer, Plugin, Portkey, Stock, Stock2
from bench.peers.play import Played, play
from bench.peers.table import page
from opencode_patcher.drill.fakes.faults import At, Broken
from opencode_patcher.drill.scenarios.scenario import Scenario
from opencode_patcher.drill.scenarios.selection import select

SCENARIOS = (
    "healthy",
    "healthy-tool",
    "503",
    "429-ten-hours",
    "402",
    "401",
    "refused",
    "s06",
    "error-event",
    "closed-in-text",
    "no-finish",
    "s09",
    "cut-in-tool",
    "cut-after-tool",
    "fault-after-tool",
)
"""One of each kind of failure: before the answer, in silence, in the text, in and after a tool call."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--stock", type=Path, required=True, help="a stock OpenCode")
    parser.add_argument("--patched", type=Path, help="one with combined models, of the same release")
    parser.add_argument("--stock-2", type=Path, help="a stock OpenCode 2")
    parser.add_argument("--patched-2", type=Path, help="one with combined models, of the same release")
    parser.add_argument("--plugin", type=Path, help="the bundled file of opencode-model-fallback")
    parser.add_argument("--oh-my-opencode", type=Path, help="the directory of that npm package")
    parser.add_argument("--litellm", type=Path, help="the program of pip install 'litellm[proxy]'")
    parser.add_argument("--portkey", type=Path, help="start-server.js of the npm package @portkey-ai/gateway")
    parser.add_argument("--runtime", type=Path, default=Path("bun"), help="the bun that runs Portkey's gateway")
    parser.add_argument("--scenario", action="append", help="only this one; can be repeated")
    parser.add_argument("--peer", action="append", help="only the peer with this name; can be repeated")
    parser.add_argument("--json", type=Path, required=True, help="where the results are kept; those there are kept too")
    parser.add_argument("--logs", type=Path, help="keep what each run has left behind there")
    arguments = parser.parse_args()
    known = json.loads(arguments.json.read_text()) if arguments.json.exists() else []
    done = {(one["peer"], one["scenario"]): Played(**one) for one in known}
    for peer in (one for one in _peers(arguments) if one.name in (arguments.peer or [one.name])):
        for scenario in map(playable, select(arguments.scenario or SCENARIOS)):
            place = Path(tempfile.mkdtemp(prefix="bench-peers-"))
            try:
                seen = play(peer, scenario, place / "run")
            finally:
                if arguments.logs:
                    shutil.copytree(place, arguments.logs / f"{peer.name}-{scenario.name}", dirs_exist_ok=True)
                shutil.rmtree(place, ignore_errors=True)
            done[peer.name, scenario.name] = seen
            print(f"{peer.name:18} {scenario.name:18} {_line(seen)}", file=sys.stderr, flush=True)
            arguments.json.write_text(json.dumps([asdict(one) for one in done.values()], indent=1))
    print(page(list(done.values()), SCENARIOS))


def playable(scenario: Scenario) -> Scenario:
    """The scenario, changed if its first provider always breaks in a tool call: it then breaks once and is healthy
    afterwards. A peer that takes a broken call for a complete one asks the provider for the next step, and the scenario
    has none.
    """
    first, *others = scenario.providers
    if isinstance(first.then, Broken) and first.then.at is At.TOOL_INPUT:
        first = replace(first, faults=(first.then,), then=None)
    return replace(scenario, providers=(first, *others))


def _peers(arguments: argparse.Namespace) -> list[Peer]:
    stock = arguments.stock.absolute()
    found: list[Peer] = [Stock(binary=stock)]
    if arguments.patched:
        found.append(Patched(binary=arguments.patched.absolute()))
    if arguments.stock_2:
        found.append(Stock2(binary=arguments.stock_2.absolute()))
    if arguments.patched_2:
        found.append(Patched2(binary=arguments.patched_2.absolute()))
    if arguments.plugin:
        found.append(Plugin(binary=stock, plugin=arguments.plugin.absolute()))
    if arguments.oh_my_opencode:
        found.append(OhMyOpenCode(binary=stock, plugin=arguments.oh_my_opencode.absolute()))
    if arguments.litellm:
        found.append(LiteLLM(binary=stock, program=arguments.litellm.absolute()))
    if arguments.portkey:
        runtime = Path(shutil.which(arguments.runtime) or arguments.runtime).absolute()
        found.append(Portkey(binary=stock, runtime=runtime, program=arguments.portkey.absolute()))
    return found


def _line(seen: Played) -> str:
    left = f", left over: {list(seen.leftovers)}" if seen.leftovers else ""
    tools = f", tools {seen.tools} of {seen.planned}" if seen.planned or seen.tools else ""
    took = f"{seen.seconds:.1f} s" if seen.seconds is not None else "no answer"
    said = f"{'clean' if seen.clean else 'NOT'} {took}{left}{tools}, asked {seen.asked}, {seen.requests}"
    return f"{said}, {seen.notices} {seen.error[:80]}"


if __name__ == "__main__":
    main()
