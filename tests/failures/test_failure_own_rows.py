"""Rows of failures in a user's configuration."""

from __future__ import annotations

import pytest

from opencode_patcher.failures.table import CLASSES, SCOPES
from opencode_patcher.models import schema, settings
from opencode_patcher.models.schema import ListOf, OneOf, Struct


@pytest.mark.parametrize(
    ("row", "field", "what"),
    [
        ({"class": "quota"}, "combined.failures[0]", "would decide every failure"),
        ({"class": "quota", "words": ["e"]}, "combined.failures[0]", "would decide almost every failure"),
        ({"words": ["out of tea"]}, "combined.failures[0]", "has no class"),
        ({"class": "flu", "status": [418]}, "combined.failures[0].class", "must be one of rate_limit"),
        ({"class": "quota", "status": ["418"]}, "combined.failures[0].status", "must be a list of whole numbers"),
        ({"class": "quota", "status": [418], "zone": "Beijing"}, "combined.failures[0].zone", "must be written like"),
        ({"class": "quota", "status": [418], "word": ["x"]}, "combined.failures[0].word", "is not a setting"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_with_its_place(row: dict[str, object], field: str, what: str) -> None:
    found = list(settings.problems({"combined": {"failures": [row]}}))
    assert [(problem.field, problem.what[: len(what)]) for problem in found] == [(field, what)]


def test_a_good_row_passes() -> None:
    row = {
        "status": [418],
        "code": ["teapot"],
        "words": ["out of tea"],
        "class": "quota",
        "scope": "plan",
        "zone": "+08:00",
    }
    assert list(settings.problems({"combined": {"failures": [row]}})) == []


def test_the_classes_and_scopes_are_those_of_the_table() -> None:
    combined = schema.load().fields["combined"]
    assert isinstance(combined, Struct)
    rows = combined.fields["failures"]
    assert isinstance(rows, ListOf)
    assert isinstance(rows.item, Struct)
    assert rows.item.fields["scope"] == OneOf(tuple(SCOPES))
    assert rows.item.fields["class"] == OneOf(tuple(name for name in CLASSES if name not in ("history", "unknown")))
