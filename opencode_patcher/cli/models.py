"""``opencode-patcher models``: which models are combined, and why."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opencode_patcher.cli import HelpfulGroup, completion, output
from opencode_patcher.cli import options as shared

if TYPE_CHECKING:
    from opencode_patcher.configuration.report import Member, Model
    from opencode_patcher.models.grouping import Group, Options
    from opencode_patcher.models.resolve import Identity, Offer

provider_option = click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="P",
    help="Only this provider; can be repeated, highest first.",
)
config_option = shared.file_option("--config", "An opencode.json whose provider_priority and combined are used.")
all_option = click.option("--all", "everything", is_flag=True, help="The whole catalogue, not what you have.")


@click.group(cls=HelpfulGroup)
def command() -> None:
    """Show which models are combined, and why."""


@command.command
@shared.lookup_catalog_option
@provider_option
@shared.json_option
def keys(catalog: Path | None, providers: tuple[str, ...], as_json: bool) -> None:
    """List every model of the catalogue with its key. Models with equal keys are the same."""
    from opencode_patcher.models.catalogue import require_providers
    from opencode_patcher.models.resolve import resolve

    offers = _offers(catalog)
    wanted = require_providers(offers, providers)
    found = [
        (offer, identity)
        for offer, identity in zip(offers, resolve(offers), strict=True)
        if not wanted or offer.provider_id in wanted
    ]
    if as_json:
        output.show_json({"models": [_key_data(offer, identity) for offer, identity in found]})
        return
    rows = [(f"{offer.provider_id}/{offer.model_id}", one.key, _terms(one.variant)) for offer, one in found]
    output.show_table(("Model", "Key", "Terms"), rows)


def _key_data(offer: Offer, identity: Identity) -> dict[str, object]:
    about = {"provider": offer.provider_id, "model_id": offer.model_id, "key": identity.key}
    return about | {"variant": asdict(identity.variant)}


@command.command
@all_option
@shared.asked_binary_option
@shared.lookup_catalog_option
@provider_option
@config_option
@shared.json_option
def groups(
    everything: bool,
    binary: Path | None,
    catalog: Path | None,
    providers: tuple[str, ...],
    config: Path | None,
    as_json: bool,
) -> None:
    """Show what is combined for you, and in which order the members are asked.

    A patched OpenCode says what it sees in the current directory. With --all, --provider, --catalog or --config you see
    what would be combined from the whole catalogue, or from these providers in it.
    """
    if not (everything or providers or catalog or config):
        _show_own(binary, as_json)
        return
    from opencode_patcher.models.catalogue import require_providers
    from opencode_patcher.models.grouping import group
    from opencode_patcher.models.options import check

    known = _offers(catalog)
    wanted = require_providers(known, providers)
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


def _show_own(binary: Path | None, as_json: bool) -> None:
    from opencode_patcher.cli import asking

    report = asking.report(binary)
    if as_json:
        output.show_json({"groups": [asdict(item) for item in report.models], "off": report.off or None})
        return
    for model in sorted(report.models, key=lambda model: not model.own):
        _show_model(model)
    output.echo(f"Nothing is combined: {report.off}." if report.off else f"Combined models: {len(report.models)}")


def _show_model(model: Model) -> None:
    output.echo(f"combined/{model.id}  {model.name}")
    for place, member in enumerate(model.members, start=1):
        output.echo(f"  {place}. {member.key}  ({', '.join(_about(member))})")


def _about(member: Member) -> list[str]:
    from datetime import UTC, datetime

    from opencode_patcher.base import moments

    out = member.avoided
    price = member.price
    has_price = (price.input or price.output) and member.price_class in ("metered", "")
    return [
        f"avoided until {moments.until(out.until, datetime.now(UTC))}: {out.kind}" if out else member.wish or "ready",
        *([member.price_class] if member.price_class else []),
        *([f"${price.input:g} in, ${price.output:g} out"] if has_price else []),
        *([f"{member.limit.context / 1000:.0f}k"] if member.limit.context else []),
        *(term for term in member.terms if term != member.price_class),
        *([f"only after {', '.join(member.when)}"] if member.when else []),
    ]


@command.command
@click.argument("model", metavar="MODEL", shell_complete=completion.own_models)
@shared.asked_binary_option
@shared.lookup_catalog_option
@config_option
@shared.json_option
def explain(model: str, binary: Path | None, catalog: Path | None, config: Path | None, as_json: bool) -> None:
    """Say which rules apply to a model, and what it is and is not combined with.

    MODEL is PROVIDER/MODEL from the catalogue, or combined/NAME as your OpenCode shows it.
    """
    from opencode_patcher.models import explain as explaining

    if model.startswith("combined/"):
        _explain_own(model.removeprefix("combined/"), binary, as_json)
        return
    found = explaining.explain(_offers(catalog), model, _options(config, ()))
    if as_json:
        output.show_json(asdict(found))
        return
    output.echo(f"{model}  ({found.offer.name}, released {found.offer.release_date or 'unknown'})")
    output.echo()
    output.echo(f"Key:    {found.identity.key}")
    output.echo(f"Terms:  {_terms(found.identity.variant) or 'plain'}")
    output.echo()
    output.echo("Rules that apply:")
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
        output.echo("Similar models that it is not combined with:")
    for neighbour in found.neighbours:
        output.echo(f"  {neighbour.key}: {neighbour.why}")
        output.echo(f"      e.g. {neighbour.example}, {neighbour.offers} in all")


def _explain_own(id_: str, binary: Path | None, as_json: bool) -> None:
    """A combined model of the user's: its members in order, and what is special about each."""
    from opencode_patcher.base.errors import UsageError
    from opencode_patcher.base.text import did_you_mean
    from opencode_patcher.cli import asking

    report = asking.report(binary, alone=True)
    found = next((item for item in (*report.models, *report.alone) if item.id == id_), None)
    if found is None:
        raise UsageError(
            f"Nothing is combined under the name combined/{id_} for your providers.",
            why=report.off or did_you_mean(id_, [item.id for item in report.models]),
            next_step="opencode-patcher models groups",
        )
    alone = found not in report.models
    if as_json:
        output.show_json({"model": asdict(found), "combined": not alone})
        return
    _show_model(found)
    if alone:
        output.echo(f"It is not combined: only {', '.join(found.providers)} has it.")
    origin = report.setting("combined.groups" if found.own else "provider_priority")
    if found.own:
        output.echo(f"A group of your own, from {origin.source if origin and origin.source else 'your configuration'}.")
    elif origin:
        output.echo(f"The order is that of provider_priority in {origin.source or 'your configuration'}.")
    else:
        output.echo("The order is that of the providers' names: there is no provider_priority.")
    output.echo(f"Why these are one model: opencode-patcher models explain {found.members[0].key}")


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


def _options(config: Path | None, providers: tuple[str, ...]) -> Options:
    from opencode_patcher.models import options
    from opencode_patcher.models.grouping import Options

    found = options.load(config) if config else Options()
    return found if found.priority else replace(found, priority=providers)
