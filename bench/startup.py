"""How long ``opencode-patcher --help`` takes, beside the import of click alone."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

ROUNDS = 15


def main() -> None:
    """Alternate the two, so that both meet the same machine, and compare their medians."""
    commands = {
        "import click": [sys.executable, "-c", "import click"],
        "opencode-patcher --help": [sys.executable, "-m", "opencode_patcher", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - started)
    medians = {name: median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:<28} {value * 1000:6.0f} ms")
    print(f"ratio {medians['opencode-patcher --help'] / medians['import click']:.2f}")


if __name__ == "__main__":
    main()
