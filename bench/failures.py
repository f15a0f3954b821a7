"""How well the table of failures understands the failures of ``tests/failures/data``, by vendor.

python bench/failures.py [--json]

A failure counts as exact if class, scope and time are as labelled, and as served if class or scope differ but the
result is the same for the user. A refusal that is the request's own fault must not blame the provider.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tests.failures.corpus import Case, cases, serves, wrong

FEW = 5
"""Vendors with fewer failures share a line."""


@dataclass(frozen=True, kw_only=True)
class Score:
    name: str
    cases: int
    exact: int
    served: int
    missed: tuple[str, ...]


def main() -> None:
    """Print a line for each vendor, and one for each protocol's ordinary refusals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    as_json: bool = parser.parse_args().json
    everything = list(cases())
    failures = [case for case in everything if not case.ordinary]
    vendors = grouped((vendor_of(case), case) for case in failures)
    few = [name for name, found in vendors.items() if len(found) < FEW]
    rest = [case for name in few for case in vendors.pop(name)]
    scores = [score(name, found) for name, found in sorted(vendors.items(), key=lambda item: -len(item[1]))]
    scores += [score(f"{len(few)} others", rest), score("all failures", failures)]
    refusals = grouped((case.protocol or "any protocol", case) for case in everything if case.ordinary)
    blamed = [score(f"ordinary refusals, {name}", found) for name, found in sorted(refusals.items())]
    if as_json:
        print(
            json.dumps({"failures": [asdict(item) for item in scores], "ordinary": [asdict(item) for item in blamed]})
        )
        return
    print("| vendor | failures | exact | served | missed |\n|---|---:|---:|---:|---|")
    for item in scores:
        missed = ", ".join(item.missed) if item.name != "all failures" else f"{len(item.missed)}"
        print(f"| {item.name} | {item.cases} | {share(item.exact, item)} | {share(item.served, item)} | {missed} |")
    print("\n| ordinary refusals | cases | blamed on the provider |\n|---|---:|---|")
    for item in blamed:
        print(f"| {item.name.partition(', ')[2]} | {item.cases} | {', '.join(item.missed) or 'none'} |")


def vendor_of(case: Case) -> str:
    """The vendor, without the name of one of its products."""
    return case.vendor.partition(" (")[0]


def grouped(pairs: Iterable[tuple[str, Case]]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = defaultdict(list)
    for name, case in pairs:
        found[name].append(case)
    return found


def score(name: str, found: list[Case]) -> Score:
    results = [(case, case.found()) for case in found]
    exact = sum(not wrong(seen, case.expected, case.ordinary) for case, seen in results)
    missed = tuple(case.id for case, seen in results if not serves(seen, case.expected, case.ordinary))
    return Score(name=name, cases=len(found), exact=exact, served=len(found) - len(missed), missed=missed)


def share(count: int, item: Score) -> str:
    return f"{100 * count / item.cases:.0f} %"


if __name__ == "__main__":
    main()
