"""Which providers the user has, and what they offer, by the rules of packages/opencode/src/provider/provider.ts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from opencode_patcher.configuration.auth import Logins
from opencode_patcher.models.catalogue import Model, Provider
from opencode_patcher.models.resolve import Offer

Means = Literal["login", "key", "environment", "configuration", "free"]
"""A login (such as for a subscription), a key in auth.json, an environment variable, opencode.json, or none at all."""

WITHOUT_KEY = "opencode"
"""The only provider that offers models without a key: the free ones."""

_HIDDEN = ("alpha", "deprecated")


@dataclass(frozen=True, kw_only=True)
class Connected:
    """A provider that OpenCode offers. ``shown`` says how it is connected; ``offers`` are its models."""

    id: str
    means: Means
    shown: str
    offers: tuple[Offer, ...]


def connected(
    catalogue: Iterable[Provider], logins: Logins, environment: Mapping[str, str], config: Mapping[str, object]
) -> tuple[Connected, ...]:
    """The providers that OpenCode would list, in the order of the catalogue, followed by those in the configuration.

    ``config`` is the merged configuration. Providers added by plugins, and those that need more than an environment
    variable (Amazon's profiles, Google's default credentials), are not detected.
    """
    own = _objects(config.get("provider"))
    disabled, enabled = _texts(config.get("disabled_providers")), config.get("enabled_providers")
    known = {provider.id: _with_modes(provider) for provider in catalogue}
    known |= _accounts(known, _objects(config).get("combined", {}))
    for id_, settings in own.items():
        known[id_] = _with_settings(known.get(id_, Provider(id=id_, env=(), models=())), settings)
    found = []
    for provider in known.values():
        if provider.id in disabled or (enabled is not None and provider.id not in _texts(enabled)):
            continue
        one = _connect(provider, logins, environment, configured=provider.id in own)
        if one and one.offers:
            found.append(one)
    return tuple(found)


def _accounts(known: Mapping[str, Provider], combined: Mapping[str, object]) -> dict[str, Provider]:
    """``combined.accounts``: providers with the models of others. Twin of ``combined/provider/accounts.ts``."""
    accounts = combined.get("accounts")
    return {
        id_: account(known[of], id_)
        for id_, of in (accounts.items() if isinstance(accounts, dict) else ())
        if isinstance(of, str) and of in known and id_ not in known
    }


def account(provider: Provider, id_: str) -> Provider:
    """``provider`` under another id, with a variable of its own for the key."""
    models = tuple(replace(model, offer=replace(model.offer, provider_id=id_)) for model in provider.models)
    variable = re.sub(r"[^A-Z0-9]+", "_", id_.upper()) + "_API_KEY"
    return Provider(id=id_, env=(variable,), models=models)


def _connect(
    provider: Provider, logins: Logins, environment: Mapping[str, str], *, configured: bool
) -> Connected | None:
    variable = next((name for name in provider.env if environment.get(name)), None)
    login = logins.types.get(provider.id)
    means: Means
    models = provider.models
    if login == "oauth":
        means, shown = "login", "logged in"
    elif login == "api":
        means, shown = "key", "key from opencode auth login"
    elif variable:
        means, shown = "environment", f"environment variable {variable}"
    elif configured:
        means, shown = "configuration", "opencode.json"
    elif provider.id == WITHOUT_KEY:
        means, shown = "free", "without a key"
        models = tuple(model for model in models if model.free)
    else:
        return None
    offers = tuple(model.offer for model in models if model.status not in _HIDDEN)
    return Connected(id=provider.id, means=means, shown=shown, offers=offers)


def _with_modes(provider: Provider) -> Provider:
    """A provider whose models' modes are separate models, under the names that OpenCode gives them."""
    modes = (
        replace(
            model,
            offer=replace(
                model.offer,
                model_id=f"{model.offer.model_id}-{mode}",
                name=f"{model.offer.name} {mode[:1].upper()}{mode[1:]}",
            ),
        )
        for model in provider.models
        for mode in model.modes
    )
    return replace(provider, models=(*provider.models, *modes))


def _with_settings(provider: Provider, settings: Mapping[str, object]) -> Provider:
    """A provider as ``provider.<id>`` of the configuration changes it."""
    models = {model.offer.model_id: model for model in provider.models}
    for id_, about in _objects(settings.get("models")).items():
        before = models.get(id_)
        name, released = about.get("name"), about.get("release_date")
        offer = Offer(
            provider_id=provider.id,
            model_id=id_,
            name=name if isinstance(name, str) else before.offer.name if before else id_,
            release_date=released if isinstance(released, str) else before.offer.release_date if before else "",
        )
        models[id_] = replace(before, offer=offer) if before else Model(offer=offer)
    white, black = settings.get("whitelist"), _texts(settings.get("blacklist"))
    kept = (model for id_, model in models.items() if id_ not in black and (white is None or id_ in _texts(white)))
    env = tuple(_texts(settings["env"])) if "env" in settings else provider.env
    return Provider(id=provider.id, env=env, models=tuple(kept))


def _objects(value: object) -> dict[str, Mapping[str, object]]:
    """The objects in an object. Other values are left out; OpenCode refuses them."""
    if not isinstance(value, dict):
        return {}
    return {key: inner for key, inner in value.items() if isinstance(inner, dict)}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
