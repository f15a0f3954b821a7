"""OpenCode 2, patched and stock side by side: start, memory, a healthy turn, and the next request after a failure.

``python -m bench.opencode_2 --patched PATH --stock PATH`` (stock: built from the same tree with the same dependencies).
Each round starts both programs anew, with the fake providers of the drill.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.memory import resident
from opencode_patcher.base.errors import PatcherError
from opencode_patcher.drill import select
from opencode_patcher.drill.dispatch import second
from opencode_patcher.drill.scenarios.pace import Pace
from opencode_patcher.drill.verdict.judge import failover_ms

FAULTS = ("429", "500", "refused", "cut-in-text")
"""Scenarios whose first provider fails."""


def timed(run: Callable[[], object]) -> float:
    """Milliseconds."""
    started = time.monotonic()
    run()
    return (time.monotonic() - started) * 1000


def measure(binary: Path, root: Path, turns: int) -> Mapping[str, list[float]]:
    """One round with one program."""
    named = {scenario.name: scenario for scenario in select(("healthy", *FAULTS))}
    with ExitStack() as stack:
        version = timed(lambda: subprocess.run([binary, "--version"], check=True, capture_output=True))
        started = time.monotonic()
        place = stack.enter_context(second(binary, root, None, threading.Event()))
        listed = (time.monotonic() - started) * 1000
        place.observe(named["healthy"], Pace())  # A server loads much only in its first turn.
        healthy = [place.observe(named["healthy"], Pace()).seconds * 1000 for _ in range(turns)]
        memory = resident(binary)
        gaps = [failover_ms(place.observe(named[name], Pace())) for name in FAULTS] if place.subject.patched else []
        return {
            "--version, ms": [version],
            "serve: a project's models are listed, ms": [listed],
            "healthy turn, ms": healthy,
            "next provider asked after a failure, ms": [one for one in gaps if one is not None],
            "memory after the healthy turns, MB": [memory],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patched", type=Path, required=True)
    parser.add_argument("--stock", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=5)
    given = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {"stock": {}, "patched": {}}
    try:
        for number in range(given.rounds):
            for name in sorted(found, reverse=number % 2 == 0):
                binary: Path = getattr(given, name).absolute()
                with tempfile.TemporaryDirectory(prefix="bench-two-", ignore_cleanup_errors=True) as root:
                    for what, values in measure(binary, Path(root) / "home", given.turns).items():
                        found[name].setdefault(what, []).extend(values)
    except PatcherError as error:
        sys.exit(str(error))
    show(found)


def show(found: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    print(f"{'':42}{'stock':>10}{'patched':>10}   (medians)")
    for what in found["patched"]:
        values = [found[name].get(what) for name in ("stock", "patched")]
        print(f"{what:42}" + "".join(f"{median(one):10.0f}" if one else f"{'':10}" for one in values))


if __name__ == "__main__":
    main()
