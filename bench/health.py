"""The file of the members' health when many processes fail at once: what is lost, and how long each waits.

python bench/health.py [--processes N] [--failures N] [--bun BUN] [--json]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from opencode_patcher.base import resources
from opencode_patcher.failures.typescript import table_json

GOAL_MS = 50.0
START_SECONDS = 5.0
"""By then all processes are running."""

CORE = resources.templates() / "combined"
HOST = resources.templates() / "host"


def main() -> None:
    """Start the processes, let all begin at one moment, and look at the file that they leave."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--failures", type=int, default=10, help="of each process (default: 10)")
    parser.add_argument("--bun", default=shutil.which("bun"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.bun:
        sys.exit("There is no bun on the path. Name one with --bun.")
    with tempfile.TemporaryDirectory(prefix="bench-health-") as name:
        waits, lost = measure(Path(name), given.bun, given.processes, given.failures)
    if given.json:
        print(json.dumps({"waits": waits, "lost": lost}))
        return
    total = given.processes * given.failures
    print(f"{given.processes} processes, {given.failures} failures each: {lost} of {total} lost")
    over = sum(wait > GOAL_MS for wait in waits)
    print(f"wait: median {median(waits):.1f} ms, longest {max(waits):.1f} ms, {over} above {GOAL_MS:g} ms")


def measure(root: Path, bun: str, processes: int, failures: int) -> tuple[list[float], int]:
    """How long each process waited (in milliseconds), and how many failures are missing from the file at the end.
    ``root`` is an empty directory.
    """
    script = prepare(root)
    file = root / "health.json"
    start = int((time.time() + START_SECONDS) * 1000)
    running = [
        subprocess.Popen(
            [bun, script, file, f"provider-{number}", str(failures), str(start)], stdout=subprocess.PIPE, text=True
        )
        for number in range(processes)
    ]
    waits = [wait for one in running for wait in json.loads(one.communicate()[0])]
    members = json.loads(file.read_text(encoding="utf-8"))["members"]
    wanted = {f"provider-{number}/{index}" for number in range(processes) for index in range(failures)}
    return waits, len(wanted - members.keys())


def prepare(root: Path) -> Path:
    """Lay out the modules that the health store imports, as in OpenCode's tree. Returns the script to run."""
    source = root / "src"
    shutil.copytree(CORE, source / "combined", ignore=shutil.ignore_patterns("*.j2"))
    table = (CORE / "failure/table.ts.j2").read_text(encoding="utf-8").replace("[= failure_table =]", table_json())
    (source / "combined/failure/table.ts").write_text(table, encoding="utf-8")
    shutil.copytree(HOST, source / "combined" / "host")
    (source / "global.ts").write_text('export const Global = { Path: { state: "/" } }\n', encoding="utf-8")
    paths = {"@/*": ["./src/*"], "@opencode-ai/core/global": ["./src/global.ts"]}
    config = {"compilerOptions": {"baseUrl": ".", "paths": paths}}
    (root / "tsconfig.json").write_text(json.dumps(config), encoding="utf-8")
    return Path(shutil.copy(Path(__file__).with_name("health.ts"), root))


if __name__ == "__main__":
    main()
