"""``python -m bench.chaos``: play, count, and say which seeds broke what."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from pathlib import Path
from statistics import median

from bench.chaos.plan import TURNS_PER_SESSION
from bench.chaos.run import Outcome, Played, play
from opencode_patcher.base.errors import PatcherError
from opencode_patcher.base.guard import guarding, throw_away
from opencode_patcher.drill.dispatch import place


def main() -> None:
    parser = argparse.ArgumentParser(description="Random faults at every provider, through one server.")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; each session of eight turns takes one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--healthy", action="store_true", help="no faults: for the memory, and for a stock binary")
    parser.add_argument("--keep", type=Path, help="keep the server's home there")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    count = max(1, arguments.turns // TURNS_PER_SESSION)
    seeds = range(arguments.seed, arguments.seed + count)
    try:
        with (
            guarding(),
            tempfile.TemporaryDirectory(prefix="bench-chaos-", ignore_cleanup_errors=True) as name,
            throw_away(Path(name)),
        ):
            kept = arguments.keep.absolute() if arguments.keep else Path(name)
            probed = Path(name) / "probe"
            with place(arguments.binary.absolute(), probed, None, threading.Event(), isolated=True) as found:
                subject = found.subject
            outcome = play(
                subject,
                kept / "chaos",
                seeds,
                healthy=arguments.healthy,
                workers=arguments.workers,
                watch=None if arguments.json else show,
            )
    except PatcherError as error:
        sys.exit(str(error))
    counted = figures(outcome)
    lines = [f"{key}: {value}" for key, value in counted.items()]
    print(json.dumps(counted, indent=2) if arguments.json else "\n".join(lines))
    sys.exit(1 if counted["violations"] else 0)


def show(played: Played) -> None:
    if played.violations:
        print(f"seed {played.seed} turn {played.number} ({played.seconds:.1f} s):", flush=True)
        for violation in played.violations:
            print(f"  - {violation}", flush=True)
        for line in played.story:
            print(f"    {line}", flush=True)


def figures(outcome: Outcome) -> dict[str, object]:
    """The figures of a run. Seconds are per turn; a seed that failed several times is listed once."""
    turns = outcome.turns
    times = [value for played in turns for value in played.failover_ms]
    seconds = [played.seconds for played in turns]
    before, after = outcome.memory
    return {
        "turns": len(turns),
        "violations": sum(bool(played.violations) for played in turns) + len(outcome.left),
        "failing seeds": sorted({played.seed for played in turns if played.violations}),
        "left behind": list(outcome.left),
        "failed answers": sum(played.failures for played in turns),
        "failovers": len(times),
        "next request ms, median": round(median(times), 1) if times else None,
        "next request ms, worst": round(max(times), 1) if times else None,
        "turn s, median": round(median(seconds), 2),
        "turn s, worst": round(max(seconds), 2),
        "memory MB, start": before and round(before),
        "memory MB, end": after and round(after),
    }


if __name__ == "__main__":
    main()
