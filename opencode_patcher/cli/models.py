"""``opencode-patcher models``: which models are combined, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opencode_patcher.cli import options as shared
from opencode_patcher.cli import output

if TYPE_CHECKING:
    from opencode_patcher.models.grouping import Group, Options
    from opencode_patcher.models.resolve import Offer

F = TypeVar("F", bound=Callable[..., Any])

provider_option = click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="P",
    help="Only this provider; can be repeated, highest first.",
)
config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="An opencode.json whose provider_priority and combined are used.",
)


@click.group
def command() -> None:
    """Show which models are combined, and why."""


@command.command
@shared.lookup_catalog_option
@provider_option
@click.option("--jsonl", is_flag=True, help="One JSON object a line.")
def keys(catalog: Path | None, providers: tuple[str, ...], jsonl: bool) -> None:
    """List every model with its key: equal keys are the same model."""
    from opencode_patcher.models.resolve import resolve

    offers = _offers(catalog)
    wanted = _known_providers(offers, providers)
    identities = resolve(offers)
    rows = []
    for offer, identity in zip(offers, identities, strict=True):
        if wanted and offer.provider_id not in wanted:
            continue
        if jsonl:
            row = {"provider": offer.provider_id, "model_id": offer.model_id, "key": identity.key}
            output.show_json(row | {"variant": asdict(identity.variant)}, indent=None)
        else:
            rows.append((f"{offer.provider_id}/{offer.model_id}", identity.key, _terms(identity.variant)))
    if not jsonl:
        output.show_table(("Model", "Key", "Terms"), rows)


@command.command
@shared.lookup_catalog_option
@provider_option
@config_option
@shared.json_option
def groups(catalog: Path | None, providers: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """Show what is combined for these providers, and in which order the members serve."""
    from opencode_patcher.models.grouping import group
    from opencode_patcher.models.options import check

    known = _offers(catalog)
    wanted = _known_providers(known, providers)
    offers = [offer for offer in known if not wanted or offer.provider_id in wanted]
    options = _options(config, providers)
    for sentence in check(options, offers):
        output.warn(sentence)
    found = group(offers, options, known)
    if as_json:
        output.show_json({"groups": [asdict(item) for item in found]})
        return
    for item in found:
        _show_group(item)
    output.echo(f"{len(found)} combined models.")


@command.command
@click.argument("model", metavar="PROVIDER/MODEL")
@shared.lookup_catalog_option
@config_option
@shared.json_option
def explain(model: str, catalog: Path | None, config: Path | None, as_json: bool) -> None:
    """Say which rules fired for a model, where it lands, and what it is not joined with."""
    from opencode_patcher.models import explain as explaining

    found = explaining.explain(_offers(catalog), model, _options(config, ()))
    if as_json:
        output.show_json(asdict(found))
        return
    output.echo(f"{model}  ({found.offer.name}, released {found.offer.release_date or 'unknown'})")
    output.echo()
    output.echo(f"Key:    {found.identity.key}")
    output.echo(f"Terms:  {_terms(found.identity.variant) or 'plain'}")
    output.echo()
    output.echo("Rules that fired:")
    for step in found.identity.steps:
        output.echo(f"  {step.rule}: {step.found}")
        output.echo(f"      {explaining.reason(step)}")
    output.echo()
    output.echo(f"{found.outcome}")
    if found.group:
        for member in found.group.members:
            output.echo(f"  {member.provider_id}/{member.model_id}")
    if found.neighbours:
        output.echo()
        output.echo("Nearest models that it is not joined with:")
    for neighbour in found.neighbours:
        output.echo(f"  {neighbour.key}: {neighbour.why}")
        output.echo(f"      e.g. {neighbour.example}, {neighbour.offers} in all")


def _show_group(item: Group) -> None:
    output.echo(f"combined/{item.id}  {item.name}")
    for place, member in enumerate(item.members, start=1):
        terms = _terms(member.variant)
        line = f"  {place}. {member.provider_id}/{member.model_id}" + (f"  ({terms})" if terms else "")
        output.echo(line)


def _terms(variant: Any) -> str:
    from opencode_patcher.models.explain import describe

    return ", ".join(describe(variant))


def _offers(named: Path | None) -> tuple[Offer, ...]:
    from opencode_patcher.models import catalogue
    from opencode_patcher.toolchain.catalogue import find

    return catalogue.load(find(named, catalogue.opencode_cache(), output.TerminalReporter()))


def _known_providers(offers: Sequence[Offer], wanted: tuple[str, ...]) -> frozenset[str]:
    from opencode_patcher.base.errors import UsageError
    from opencode_patcher.models.nearest import nearest

    known = {offer.provider_id for offer in offers}
    for provider in wanted:
        if provider not in known:
            near = nearest(provider, known)
            raise UsageError(
                f"The catalogue has no provider {provider!r}.",
                next_step=f"Did you mean {near!r}?" if near else "",
            )
    return frozenset(wanted)


def _options(config: Path | None, providers: tuple[str, ...]) -> Options:
    from opencode_patcher.models import options
    from opencode_patcher.models.grouping import Options

    found = options.load(config) if config else Options()
    return found if found.priority else replace(found, priority=providers)
