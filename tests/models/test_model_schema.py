"""The schema of the settings: read from the patch, which is its only source."""

from __future__ import annotations

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.models import schema
from opencode_patcher.models.grouping import VARIANTS
from opencode_patcher.models.schema import Amount, AnyText, Anything, Either, Flag, ListOf, MapOf, OneOf, Struct, Whole
from opencode_patcher.models.settings import KEYS


def test_the_patch_gives_opencode_these_settings() -> None:
    found = schema.load()
    assert tuple(found.fields) == KEYS
    assert found.fields["provider_priority"] == Either((ListOf(AnyText()), AnyText()))
    combined = found.fields["combined"]
    assert isinstance(combined, Struct)
    assert combined.fields["combine_latest"] == Flag()
    groups = combined.fields["groups"]
    assert isinstance(groups, MapOf)
    assert isinstance(groups.value, Either)
    items, structured = groups.value.types
    assert isinstance(structured, Struct)
    assert structured.required == {"models"}
    assert structured.fields["models"] == items
    assert isinstance(items, ListOf)
    assert isinstance(items.item, Either)
    assert combined.fields["fallback"] == Either((AnyText(), groups.value))
    assert combined.fields["stickiness"] == Whole(0)
    assert combined.fields["cooldown"] == Struct({"min": Whole(0), "max": Whole(1)})
    percent = Either((Whole(1), OneOf(("off",))))
    order = OneOf(("priority", "soonest"))
    assert combined.fields["windows"] == Struct({"threshold": percent, "providers": MapOf(percent), "order": order})


def test_the_kinds_of_variants_are_those_of_the_grouping() -> None:
    combined = schema.load().fields["combined"]
    assert isinstance(combined, Struct)
    assert combined.fields["variants"] == ListOf(OneOf(tuple(VARIANTS)))


def test_a_description_belongs_to_its_field() -> None:
    text = 'a: Schema.optional(PositiveInt).annotate({ description: "one (or more), with: signs" }), b: PositiveInt'
    found = schema.parse(text)
    assert found == Struct({"a": Whole(1), "b": Whole(1)})
    assert found.descriptions == {"a": "one (or more), with: signs"}


def test_a_number_may_have_a_lower_limit_of_its_own() -> None:
    text = 'a: PositiveInt.check(Schema.isGreaterThanOrEqualTo(1000, { message: "milliseconds" }))'
    assert schema.parse(text) == Struct({"a": Whole(1000, "milliseconds")})
    text = 'a: Schema.Finite, b: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0, { message: "dollars" }))'
    assert schema.parse(text) == Struct({"a": Amount(), "b": Amount(0, "dollars")})


def test_a_named_type_may_be_used_again_and_a_field_is_required_unless_it_is_optional() -> None:
    text = (
        "const One = Schema.Struct({ b: Schema.String, c: Schema.optional(Schema.Any) })\n a: Schema.Array(One), d: One"
    )
    one = Struct({"b": AnyText(), "c": Anything()}, frozenset({"b"}))
    assert schema.parse(text) == Struct({"a": ListOf(one), "d": one})


@pytest.mark.parametrize(
    "text",
    ["a: Schema.Date", "a: Schema.Array(Schema.Int)", "a: Schema.optional(", "a Schema.String", "a: Schema.String ?"],
)
def test_unknown_syntax_is_an_error(text: str) -> None:
    with pytest.raises(PatchError, match="schema in config-schema"):
        schema.parse(text)
