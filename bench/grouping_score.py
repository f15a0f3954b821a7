"""Scoring keys against labels: pairs of offers at different providers, and B-cubed.

B-cubed (Bagga and Baldwin, 1998) scores each offer: which share of the offers that got its key have its label
(precision), and which share of the offers with its label got its key (recall). Only the offer itself and offers of
other providers count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Name = tuple[str, str]
"""Provider and model id."""


@dataclass(frozen=True, kw_only=True)
class Score:
    right: int
    wrong: int
    missed: int
    bcubed_precision: float
    bcubed_recall: float
    false_groups: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def score(
    labels: Mapping[Name, str],
    keys: Mapping[Name, str],
    contested: frozenset[frozenset[str]],
    vendor: str = "",
) -> Score:
    """Compare ``keys`` with ``labels``. With ``vendor``, B-cubed only scores offers whose label begins with it, and a
    pair counts only if one of its labels does.
    """
    by_key: dict[str, list[Name]] = defaultdict(list)
    by_label: dict[str, list[Name]] = defaultdict(list)
    for name, label in labels.items():
        by_key[keys[name]].append(name)
        by_label[label].append(name)
    right, wrong, false_groups = 0, 0, 0
    for names in by_key.values():
        bad = 0
        for left, other in combinations(names, 2):
            if left[0] == other[0] or not (labels[left].startswith(vendor) or labels[other].startswith(vendor)):
                continue
            if labels[left] == labels[other]:
                right += 1
            elif frozenset((labels[left], labels[other])) not in contested:
                bad += 1
        wrong += bad
        false_groups += bad > 0
    same = sum(_pairs(names) for label, names in by_label.items() if label.startswith(vendor))
    looked = [name for name, label in labels.items() if label.startswith(vendor)]
    precisions, recalls = [], []
    for name in looked:
        label = labels[name]
        together = [
            other
            for other in by_key[keys[name]]
            if other[0] != name[0] and frozenset((label, labels[other])) not in contested
        ]
        hit = 1 + sum(labels[other] == label for other in together)
        precisions.append(hit / (1 + len(together)))
        recalls.append(hit / (1 + sum(other[0] != name[0] for other in by_label[label])))
    return Score(
        right=right,
        wrong=wrong,
        missed=same - right,
        bcubed_precision=_mean(precisions),
        bcubed_recall=_mean(recalls),
        false_groups=false_groups,
    )


def _pairs(names: Sequence[Name]) -> int:
    counts = Counter(provider for provider, _ in names)
    return (len(names) ** 2 - sum(count**2 for count in counts.values())) // 2


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0
