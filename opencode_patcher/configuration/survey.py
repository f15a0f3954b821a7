"""Everything about the user's OpenCode at once: files, logins, providers, combined models, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.configuration import auth, check, files
from opencode_patcher.configuration.auth import Logins
from opencode_patcher.configuration.check import ConfigProblem
from opencode_patcher.configuration.connected import Connected, connected
from opencode_patcher.configuration.files import ConfigFile
from opencode_patcher.models import options
from opencode_patcher.models.catalogue import Provider
from opencode_patcher.models.grouping import DEFAULT_VARIANTS, Group, Member, Options, group, permitted
from opencode_patcher.models.policies import NOTHING
from opencode_patcher.models.resolve import resolve


@dataclass(frozen=True, kw_only=True)
class Survey:
    """``config`` is the merged configuration. ``groups`` is empty while the files have errors."""

    files: tuple[ConfigFile, ...]
    logins: Logins
    config: Mapping[str, object]
    connected: tuple[Connected, ...]
    groups: tuple[Group, ...]
    findings: tuple[ConfigProblem, ...]
    left_out: tuple[Member, ...] = ()
    """Free offers that would be members if the user named their provider."""

    unpromised: tuple[str, ...] = ()
    """Connected providers of which nothing is combined because of ``combined.require``."""

    off: str = ""
    """Why OpenCode combines nothing at all; empty when it does."""

    @property
    def errors(self) -> tuple[ConfigProblem, ...]:
        return tuple(finding for finding in self.findings if finding.level == "error")


def survey(environment: Mapping[str, str], directory: Path, catalogue: Sequence[Provider]) -> Survey:
    """Find what an OpenCode started in ``directory`` would find. Only reads files, and never raises because of them."""
    found = files.read_all(environment, directory)
    logins = auth.read(environment)
    config = files.merged(found)
    mine = connected(catalogue, logins, environment, config)
    findings = check.check_files(found)
    if any(finding.level == "error" for finding in findings):
        return Survey(files=found, logins=logins, config=config, connected=mine, groups=(), findings=findings)
    offers = [offer for provider in mine for offer in provider.offers]
    listed = [model.offer for provider in catalogue for model in provider.models]
    own = {(offer.provider_id, offer.model_id) for offer in listed}
    known = [*listed, *(offer for offer in offers if (offer.provider_id, offer.model_id) not in own)]
    own_provider = any(provider.id == check.COMBINED for provider in mine)
    off = _off(config, own_provider=own_provider)
    chosen = options.of(config)
    groups = () if off else group(offers, chosen, known)

    def reduced() -> tuple[Group, ...]:
        return () if off else group(offers, replace(chosen, min_providers=1), known)

    names = check.check_names(
        found, config, known=known, offers=offers, groups=groups, reduced=reduced, own_provider=own_provider
    )
    return Survey(
        files=found,
        logins=logins,
        config=config,
        connected=mine,
        groups=groups,
        findings=(*findings, *names),
        left_out=()
        if off
        else _left_out(groups, group(offers, replace(chosen, variants=(*DEFAULT_VARIANTS, "free")), known)),
        off=off,
        unpromised=()
        if chosen.require == NOTHING
        else tuple(provider.id for provider in mine if provider.offers and not _promises(provider, chosen)),
    )


def _promises(provider: Connected, chosen: Options) -> bool:
    identities = resolve(provider.offers)
    return any(
        permitted(offer, identity.variant, chosen.require)
        for offer, identity in zip(provider.offers, identities, strict=True)
    )


def _left_out(groups: Sequence[Group], all_of_them: Sequence[Group]) -> tuple[Member, ...]:
    asked = {(member.provider_id, member.model_id) for group in groups for member in group.members}
    mixed = (group for group in all_of_them if any(not member.variant.free for member in group.members))
    free = (member for group in mixed for member in group.members if member.variant.free)
    return tuple(member for member in free if (member.provider_id, member.model_id) not in asked)


def _off(config: Mapping[str, object], *, own_provider: bool) -> str:
    """The same rules as ``combine`` in combined/provider/catalogue.ts."""
    disabled = config.get("disabled_providers")
    if isinstance(disabled, list) and check.COMBINED in disabled:
        return f"disabled_providers names {check.COMBINED}"
    return f"you have a provider of your own that is called {check.COMBINED}" if own_provider else ""
