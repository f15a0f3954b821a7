"""The user's own groups: chains of models in the order in which they are asked.

``chain.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from opencode_patcher.models.scan import order

COMBINED = "combined/"
"""In a chain, ``combined/x`` stands for the members of another group."""


@dataclass(frozen=True, kw_only=True)
class How:
    """How a member of a chain is asked, if the user says so; ``None`` where not.

    ``variant`` is its effort, ``options`` are the model's for these requests, and ``when`` are the classes of failures
    of members before it after which it is asked.
    """

    variant: str | None = None
    options: Mapping[str, Any] | None = None
    when: tuple[str, ...] | None = None

    def over(self, other: How) -> How:
        """These settings, completed by the other's where this one says nothing."""
        return How(
            variant=other.variant if self.variant is None else self.variant,
            options=other.options if self.options is None else self.options,
            when=other.when if self.when is None else self.when,
        )


PLAIN = How()


@dataclass(frozen=True, kw_only=True)
class Item:
    """``model`` is ``provider/model``, or ``combined/x``."""

    model: str
    how: How = PLAIN


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A group of the user's. ``by_priority`` puts its members in the order of ``provider_priority``."""

    items: tuple[Item, ...]
    by_priority: bool = False


def read(value: Sequence[Any] | Mapping[str, Any] | str) -> Chain:
    """A chain in a configuration that OpenCode accepts: a list, an object, or the name of one model."""
    listed = [value] if isinstance(value, str) else value["models"] if isinstance(value, Mapping) else value
    return Chain(
        items=tuple(_item(item) for item in listed),
        by_priority=isinstance(value, Mapping) and value.get("order") == "priority",
    )


def _item(value: str | Mapping[str, Any]) -> Item:
    if isinstance(value, str):
        return Item(model=value)
    when = value.get("when")
    how = How(
        variant=value.get("variant"),
        options=value.get("options"),
        when=None if when is None else tuple(when),
    )
    return Item(model=value["model"], how=how)


def reference(model: str) -> str | None:
    """The id of a group that stands for its members; None for a model."""
    return model.removeprefix(COMBINED) if model.startswith(COMBINED) else None


def circles(chains: Mapping[str, Chain]) -> tuple[tuple[str, ...], ...]:
    """The groups that contain themselves, each as the way from it back to itself; they are left out."""
    ways = (_way_back(name, chains) for name in sorted(chains, key=order))
    return tuple(way for way in ways if way)


def _way_back(start: str, chains: Mapping[str, Chain]) -> tuple[str, ...]:
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:
        chain = chains.get(way[-1])
        for item in chain.items if chain else ():
            following = reference(item.model)
            if following is None or following in seen:
                continue
            if following == start:
                return way
            seen.add(following)
            ways.append((*way, following))
    return ()


class Ranked(Protocol):
    """An offer with its place in ``provider_priority``."""

    @property
    def rank(self) -> int: ...


E = TypeVar("E", bound=Ranked)


@dataclass(frozen=True)
class Link(Generic[E]):
    """A model of a chain with how it is asked."""

    entry: E
    how: How = PLAIN


def expand(
    chain: Chain,
    chains: Mapping[str, Chain],
    *,
    offer: Callable[[str], E | None],
    group: Callable[[str], Sequence[E]],
) -> tuple[Link[E], ...]:
    """The models of a chain in their order; a model that is there twice counts once.

    ``offer`` gives the offer with a name, ``group`` the members of an automatic group.
    """
    refused = {name for way in circles(chains) for name in way}

    def linked(chain: Chain) -> tuple[Link[E], ...]:
        found: dict[int, Link[E]] = {}
        for item in chain.items:
            for link in named(item.model):
                found.setdefault(id(link.entry), replace(link, how=item.how.over(link.how)))
        links = tuple(found.values())
        # What the priority does not order stays as written.
        return tuple(sorted(links, key=lambda link: link.entry.rank)) if chain.by_priority else links

    def named(model: str) -> Iterator[Link[E]]:
        name = reference(model)
        if name is None:
            entry = offer(model)
            yield from () if entry is None else (Link(entry),)
        elif name in refused:
            return
        elif name in chains:
            yield from linked(chains[name])
        else:
            yield from (Link(entry) for entry in group(name))

    return linked(chain)
