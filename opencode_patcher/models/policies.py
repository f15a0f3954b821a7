"""What providers promise about the user's data, and what the user requires. What is not known counts as no."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opencode_patcher.models.identity import Variant
from opencode_patcher.models.scan import lower

PATH = Path(__file__).with_name("policies.toml")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One row of ``policies.toml``, where the fields are explained."""

    provider: str
    without: tuple[str, ...] = ()
    no_training: bool = False
    regions: tuple[str, ...] = ()
    by_model: bool = False
    source: str


@dataclass(frozen=True, kw_only=True)
class Require:
    """``combined.require``: what providers must promise. ``trust`` names providers that the user vouches for."""

    no_training: bool = False
    region: str = ""
    trust: tuple[str, ...] = ()


NOTHING = Require()


@cache
def load() -> tuple[Policy, ...]:
    rows = tomllib.loads(PATH.read_text(encoding="utf-8"))["policy"]
    return tuple(
        Policy(
            provider=row["provider"],
            without=tuple(row.get("without", ())),
            no_training=row.get("no_training", False),
            regions=tuple(row.get("regions", ())),
            by_model=row.get("by_model", False),
            source=row["source"],
        )
        for row in rows
    )


def promised(provider_id: str, model_id: str, variant: Variant, require: Require) -> bool:
    """Whether a provider promises what ``require`` asks for. Twin of ``promised`` in ``identity/policies.ts``.

    Free offers have terms of their own.
    """
    rows = [
        row
        for row in load()
        if row.provider == lower(provider_id) and not any(lower(model_id).startswith(start) for start in row.without)
    ]
    kept = any(require.region in row.regions or (row.by_model and variant.region == require.region) for row in rows)
    safe = not variant.free and any(row.no_training for row in rows)
    return (safe or not require.no_training) and (kept or not require.region)
