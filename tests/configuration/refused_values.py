"""Values of the patches' settings that OpenCode refuses, each with the place that its message names."""

from __future__ import annotations

from typing import Any

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"provider_priority": {}}, "provider_priority"),
    ({"provider_priority": ["a", None]}, "provider_priority"),
    ({"combined": None}, "combined"),
    ({"combined": {"min_providers": 0}}, "combined.min_providers"),
    ({"combined": {"min_providers": 1.5}}, "combined.min_providers"),
    ({"combined": {"max_attempts": "2"}}, "combined.max_attempts"),
    ({"combined": {"strategy": "never"}}, "combined.strategy"),
    ({"combined": {"first_token_timeout": 0}}, "combined.first_token_timeout"),
    ({"combined": {"first_token_timeout": 999}}, "combined.first_token_timeout"),
    ({"combined": {"stall_timeout": True}}, "combined.stall_timeout"),
    ({"combined": {"stickiness": -1}}, "combined.stickiness"),
    ({"combined": {"stickiness": 1e20}}, "combined.stickiness"),
    ({"combined": {"stickiness": 2**53}}, "combined.stickiness"),
    ({"combined": {"cooldown": {"max": 0}}}, "combined.cooldown.max"),
    ({"combined": {"cooldown": 5}}, "combined.cooldown"),
    ({"combined": {"groups": {"a.b": "c"}}}, "combined.groups['a.b']"),
    ({"combined": {"variants": ["free", "gratis"]}}, "combined.variants[1]"),
    ({"combined": {"require": {"region": "mars"}}}, "combined.require.region"),
    ({"combined": {"require": {"no_training": "yes"}}}, "combined.require.no_training"),
    ({"combined": {"accounts": {"openai-work": ["openai"]}}}, "combined.accounts.openai-work"),
    ({"combined": {"last_resort": "x"}}, "combined.last_resort"),
    ({"combined": {"combine_latest": 1}}, "combined.combine_latest"),
    ({"combined": {"windows": 95}}, "combined.windows"),
    ({"combined": {"windows": {"threshold": 0.95}}}, "combined.windows.threshold"),
    ({"combined": {"windows": {"threshold": "never"}}}, "combined.windows.threshold"),
    ({"combined": {"windows": {"providers": {"openai": 0}}}}, "combined.windows.providers.openai"),
    ({"combined": {"windows": {"order": "first"}}}, "combined.windows.order"),
    ({"combined": {"metered": "no"}}, "combined.metered"),
    ({"combined": {"price_class": {"acme": "paid"}}}, "combined.price_class.acme"),
    ({"combined": {"budget": 5}}, "combined.budget"),
    ({"combined": {"budget": {"day": "5"}}}, "combined.budget.day"),
    ({"combined": {"budget": {"session": -1}}}, "combined.budget.session"),
    ({"combined": {"budget": {"session": None}}}, "combined.budget.session"),
    ({"combined": {"budget": {"providers": {"acme": True}}}}, "combined.budget.providers.acme"),
]
