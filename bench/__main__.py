"""``python -m bench [NAME ...]``: run the named measurements, or all of them."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("startup", "build", "failover", "grouping", "drift")


def main() -> None:
    """Run the measurements that the command line names."""
    wanted = sys.argv[1:] or NAMES
    if unknown := [name for name in wanted if name not in NAMES]:
        sys.exit(f"No such measurement: {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
    for name in wanted:
        print(f"== {name}", flush=True)
        import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
