"""``python -m bench [NAME ...]``: run the named measurements, or all of them.

``failover``, ``latency``, ``storm`` and ``install`` take the newest build of the store; the first two compare it with
the stock binary in ``OPENCODE_STOCK`` if that is set. Each also runs by itself: ``python -m bench.startup --help``.
"""

from __future__ import annotations

import os
import subprocess
import sys

NAMES = (
    "startup",
    "build",
    "install",
    "failover",
    "latency",
    "storm",
    "health",
    "grouping",
    "failures",
    "drift",
    "release",
)
STOCK_VARIABLE = "OPENCODE_STOCK"


def main() -> None:
    """Run the measurements that the command line names, each in a process of its own."""
    wanted = sys.argv[1:] or NAMES
    if unknown := [name for name in wanted if name not in NAMES]:
        sys.exit(f"No such measurement: {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
    for name in wanted:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments(name)], check=True)


def arguments(name: str) -> list[str]:
    """The arguments of a script."""
    if name not in ("failover", "latency", "storm", "install"):
        return []
    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import builds

    build = builds.latest(open_store())
    if build is None:
        sys.exit("There is no build to measure. First run: make build")
    if name == "install":
        return ["--binary", str(build.binary)]
    if name == "storm":
        return ["--patched", str(build.binary)]
    stock = os.environ.get(STOCK_VARIABLE)
    return ["--patched", str(build.binary), *(["--stock", stock] if stock else [])]


if __name__ == "__main__":
    main()
