"""Searches with fresh seeds for inputs that break a property: ``make fuzz``.

``make test`` runs the same tests, always with the same inputs. Targets are all tests with the mark ``property``. Every
hypothesis test has it. A property that is checked by another program (TypeScript under bun) sets the mark itself and
hands on PROPERTY_SEED and PROPERTY_RUNS; without them it uses a fixed seed. Each round is one run of pytest with one
seed, so the seed is all that is needed to replay it.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

FAILED = 1
"""pytest's exit code when a test failed; others mean that none ran, or that pytest was stopped."""

ROOT = Path(__file__).parents[1]
EXAMPLES = {"first": 200, "later": 1000}
"""Examples for each test and round; a first, short one goes through all targets soon."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Search for inputs that break a property.")
    parser.add_argument("--seconds", type=float, default=300, help="start no round after this time")
    parser.add_argument("--seed", type=int, help="run one round with this seed, to replay it")
    parser.add_argument("--examples", type=int, help="examples for each test and round")
    parser.add_argument("targets", nargs="*", default=["tests"], help="files or tests (default: all)")
    given = parser.parse_args()

    started = time.monotonic()
    rounds = 0
    while True:
        seed = secrets.randbits(32) if given.seed is None else given.seed
        examples = given.examples or EXAMPLES["later" if rounds else "first"]
        print(f"Round {rounds + 1}: seed {seed}, {examples} examples for each test", flush=True)
        code = one_round(seed, examples, given.targets)
        if code not in (0, FAILED):
            print("Nothing was searched.")
            return code
        if code == FAILED:
            again = f"make fuzz FUZZ_SEED={seed} FUZZ_EXAMPLES={examples}"
            if given.targets != ["tests"]:
                again += f' FUZZ_TARGETS="{" ".join(given.targets)}"'
            print(f"\nFound with seed {seed}. To replay it: {again}")
            print("To keep it: put the falsifying example above into an @example of its test.")
            return code
        rounds += 1
        if given.seed is not None or time.monotonic() - started >= given.seconds:
            print(f"{rounds} rounds in {time.monotonic() - started:.0f} s, nothing found.")
            return 0


def one_round(seed: int, examples: int, targets: list[str]) -> int:
    """The exit code of pytest with this seed."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "property and not upstream", f"--hypothesis-seed={seed}"]
    environment = {
        "PROPERTY_PROFILE": "search",
        "PROPERTY_SEED": str(seed),
        "PROPERTY_RUNS": str(examples),
    }
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", *targets], cwd=ROOT, env={**os.environ, **environment}, check=False
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
