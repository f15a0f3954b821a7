"""What is wrong in the user's configuration regarding combined models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from opencode_patcher.base import jsonc
from opencode_patcher.configuration.files import VARIABLE, ConfigFile
from opencode_patcher.models import json_schema, options, settings
from opencode_patcher.models.grouping import Group, fits
from opencode_patcher.models.nearest import nearest
from opencode_patcher.models.options import Unknown
from opencode_patcher.models.resolve import Offer
from opencode_patcher.models.scan import lower, squash
from opencode_patcher.models.settings import field

COMBINED = "combined"
"""Id of the provider that the patches add (combined/provider/catalogue.ts)."""


@dataclass(frozen=True, kw_only=True)
class ConfigProblem:
    """Something wrong. With an ``error`` OpenCode does not start; with a ``warning`` a setting has no effect.

    ``file`` is a path or a variable, ``line`` counts from 1; both are None when unknown. ``fix`` says what to do.
    """

    level: Literal["error", "warning"]
    file: str | None
    line: int | None
    text: str
    fix: str = ""

    @property
    def where(self) -> str:
        """File and line as compilers write them; empty when neither is known."""
        return "" if self.file is None else self.file if self.line is None else f"{self.file}:{self.line}"


def check_files(files: Sequence[ConfigFile]) -> tuple[ConfigProblem, ...]:
    """Problems that can be found without knowing any provider: unreadable files, values that OpenCode refuses."""
    return tuple(finding for file in files for finding in _check_file(file))


def _check_file(file: ConfigFile) -> Iterator[ConfigProblem]:
    if file.data is None:
        fix = "Correct it; OpenCode does not start with it."
        yield ConfigProblem(level="error", file=file.name, line=None, text=file.problem, fix=fix)
        return
    yield from _mistyped_keys(file, file.data)
    for problem in settings.problems(file.data):
        text = f"{problem.field} {problem.what}. {problem.why}".strip()
        fix = problem.help or ("Remove it; it does nothing." if problem.ignored else "Correct the value.")
        level: Literal["error", "warning"] = "warning" if problem.ignored else "error"
        yield ConfigProblem(level=level, file=file.name, line=file.line_of(problem.path), text=text, fix=fix)


def _mistyped_keys(file: ConfigFile, data: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Misspelled keys of ours, and keys that our own file may not have. OpenCode refuses a file for either."""
    for key in data:
        if file.own and key not in json_schema.KEYS:
            near = nearest(key, json_schema.KEYS)
            text = f"{key} does not belong in this file. It may have {', '.join(json_schema.KEYS[1:])}."
            fix = f"Did you mean {near}?" if near else "Move it to opencode.json."
            yield ConfigProblem(level="error", file=file.name, line=file.line_of((key,)), text=text, fix=fix)
        elif key not in settings.KEYS and not file.own and (near := nearest(key, settings.KEYS)):
            text = f"{key} is not a key that OpenCode knows."
            yield ConfigProblem(
                level="error", file=file.name, line=file.line_of((key,)), text=text, fix=f"Did you mean {near}?"
            )


def check_names(
    files: Sequence[ConfigFile],
    config: Mapping[str, Any],
    *,
    known: Sequence[Offer],
    offers: Sequence[Offer],
    groups: Sequence[Group],
    reduced: Callable[[], Sequence[Group]],
    own_provider: bool,
) -> tuple[ConfigProblem, ...]:
    """Names in the merged ``config`` that match nothing: providers, models, patterns, combined models.

    ``known`` is everything in the catalogue and the configuration, ``offers`` the connected part, and ``groups`` what
    is combined of that; ``reduced`` also makes groups with too few providers. ``own_provider`` means that the user has
    a provider called combined, whose models are upstream's. ``check_files`` must have found no error.
    """
    chosen = options.of(config)
    nameless = [*options.unknown_names(chosen, known), *_last_resort(config, known)]
    nameless += _accounts(config, known)
    nameless += _windows(config, known)
    paths = {one.path for one in nameless}
    idle = [one for one in _not_connected(chosen.priority, offers) if one.path not in paths]
    return (
        *(_finding(files, one, "Correct or remove it.") for one in nameless),
        *(_finding(files, one, "Log in to it: opencode auth login") for one in idle),
        *(_finding(files, one, "Swap them, or remove one.") for one in _bounds(config)),
        *(_finding(files, one, 'Write a percentage from 1 to 100, or "off".') for one in _percentages(config)),
        *(() if own_provider else _models(files, config, groups, reduced)),
    )


def _finding(files: Sequence[ConfigFile], one: Unknown, fix: str) -> ConfigProblem:
    file = next((file for file in reversed(files) if _has(file.data, one.path)), None)
    line = file.line_of(one.path) if file else None
    return ConfigProblem(level="warning", file=file.name if file else None, line=line, text=one.text, fix=fix)


def _has(data: object, path: jsonc.Path) -> bool:
    for part in path:
        if isinstance(data, dict) and part in data:
            data = data[part]
            continue
        # A list, or one text with commas, which has the same positions; the merged value is from the last file.
        return isinstance(data, list | str)
    return True


def _last_resort(config: Mapping[str, Any], known: Sequence[Offer]) -> Iterator[Unknown]:
    providers = {offer.provider_id for offer in known}
    names = [lower(f"{offer.provider_id}/{offer.model_id}") for offer in known]
    for index, pattern in enumerate(config.get(COMBINED, {}).get("last_resort", [])):
        texts = names if "/" in pattern else [lower(provider) for provider in providers]
        if any(fits(lower(pattern), text) for text in texts):
            continue
        near = nearest(pattern, providers) if "/" not in pattern else ""
        text = f"combined.last_resort: {pattern} matches no provider and no model."
        hint = f" Did you mean {near}?" if near else ""
        yield Unknown(path=(COMBINED, "last_resort", index), text=text + hint)


def _accounts(config: Mapping[str, Any], known: Sequence[Offer]) -> Iterator[Unknown]:
    providers = {offer.provider_id for offer in known}
    for id_, provider in config.get(COMBINED, {}).get("accounts", {}).items():
        if provider not in providers:
            near = nearest(provider, providers)
            hint = f" Did you mean {near}?" if near else ""
            yield Unknown(
                path=(COMBINED, "accounts", id_), text=f"combined.accounts.{id_}: no provider {provider}.{hint}"
            )


def _windows(config: Mapping[str, Any], known: Sequence[Offer]) -> Iterator[Unknown]:
    providers = {offer.provider_id for offer in known}
    for name in config.get(COMBINED, {}).get("windows", {}).get("providers", {}):
        if squash(name) not in map(squash, providers):
            near = nearest(name, providers)
            text = f"combined.windows.providers: {name} is not a provider."
            hint = f" Did you mean {near}?" if near else ""
            yield Unknown(path=(COMBINED, "windows", "providers", name), text=text + hint)


def _percentages(config: Mapping[str, Any]) -> Iterator[Unknown]:
    """Thresholds that no window reaches."""
    windows = config.get(COMBINED, {}).get("windows", {})
    own = {("threshold",): windows.get("threshold")} | {
        ("providers", name): value for name, value in windows.get("providers", {}).items()
    }
    for path, value in own.items():
        if isinstance(value, int | float) and value > 100:
            text = f"combined.windows.{'.'.join(path)}: {value} percent of a window are never used."
            yield Unknown(path=(COMBINED, "windows", *path), text=text)


def _not_connected(priority: Sequence[str], offers: Sequence[Offer]) -> Iterator[Unknown]:
    connected = {squash(offer.provider_id) for offer in offers}
    for index, provider in enumerate(priority):
        if squash(provider) not in connected:
            text = f"provider_priority: {provider} is not connected, so it is never used."
            yield Unknown(path=("provider_priority", index), text=text)


def _bounds(config: Mapping[str, Any]) -> Iterator[Unknown]:
    bounds = config.get(COMBINED, {}).get("cooldown", {})
    least, most = bounds.get("min"), bounds.get("max")
    if least is not None and most is not None and least > most:
        text = f"combined.cooldown: min ({least}) is more than max ({most})."
        yield Unknown(path=(COMBINED, "cooldown", "min"), text=text)


def _models(
    files: Sequence[ConfigFile],
    config: Mapping[str, Any],
    groups: Sequence[Group],
    reduced: Callable[[], Sequence[Group]],
) -> Iterator[ConfigProblem]:
    """Combined models that are named but do not exist."""
    ids = {found.id for found in groups}
    wanted = [(path, value) for path, value in _chosen_models(config) if value.partition("/")[0] == COMBINED]
    missing = [(path, value) for path, value in wanted if value.partition("/")[2] not in ids]
    left = {found.id: found.members[0].provider_id for found in reduced()} if missing else {}
    for path, value in missing:
        id_ = value.partition("/")[2]
        if id_ in left:
            text = f"{field(path)}: {value} has too few providers to be combined; only {left[id_]} has it."
            yield _finding(
                files, Unknown(path=path, text=text), "Log in to another provider that has it: opencode auth login"
            )
            continue
        near = nearest(id_, ids)
        text = f"{field(path)}: nothing is combined under the name {value} for your providers."
        fix = f"Did you mean combined/{near}?" if near else "To see the names: opencode-patcher config"
        yield _finding(files, Unknown(path=path, text=text), fix)


def _chosen_models(config: Mapping[str, Any]) -> Iterator[tuple[jsonc.Path, str]]:
    """Every place where a model can be chosen, and the value there."""
    places: list[jsonc.Path] = [("model",), ("small_model",)]
    for section in ("agent", "command"):
        named = config.get(section)
        places += [(section, name, "model") for name in named] if isinstance(named, dict) else []
    for path in places:
        value: object = config
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str) and not VARIABLE.search(value):
            yield path, value
