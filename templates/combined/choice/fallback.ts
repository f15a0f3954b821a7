/**
 * The fallback: members that are asked after a model because the user wants that (`combined.fallback`,
 * `agent.X.fallback`). Pure.
 */
import { CombinedChain } from "../identity/chain"
import type { Chains, Group, Options } from "../identity/grouping"
import { fallbackOf, groupOf } from "../identity/options"
import { CombinedMember, type Name } from "../member"

type Groups = ReadonlyMap<string, Group>

/** What is combined here. */
export type Known = {
  readonly groups: Groups
  /** Models with too few providers to be combined. */
  readonly reduced: () => Groups
  /** The fallbacks by agent; "" is for every model that has no chain of its own. */
  readonly fallbacks: Groups
  /** The user's chains, by id, including the hidden ones for fallbacks. */
  readonly chains: Chains
}

/** The members of one combined model, or any other model with its fallback. */
export type Chain = {
  readonly id: string
  readonly members: readonly CombinedMember.Member[]
  readonly onRefusal?: "stop" | "next_model"
  /** Whether the first member is the very model that the user has chosen. */
  readonly chosen?: boolean
}

/** A fallback is grouped like a chain of the user's, under an id with this prefix, which no chain has. */
const HIDDEN = "\0"

/** All chains to group, including the fallbacks. */
export function chains({ groups, fallbacks = {} }: Options): Chains {
  const hidden = Object.entries(fallbacks).map(([agent, chain]) => [HIDDEN + agent, chain] as const)
  return { ...groups, ...Object.fromEntries(hidden) }
}

/** The groups to show, and the fallbacks by agent. */
export function split(found: readonly Group[]) {
  const isHidden = ({ id }: Group) => id.startsWith(HIDDEN)
  return {
    groups: new Map(found.filter((item) => !isHidden(item)).map((item) => [item.id, item] as const)),
    fallbacks: new Map(found.filter(isHidden).map((item) => [item.id.slice(HIDDEN.length), item] as const)),
  }
}

/** The ids of the user's own chains. */
export const own = (known: Pick<Known, "chains">) => Object.keys(known.chains).filter((id) => !id.startsWith(HIDDEN))

/** The group that a chain of the user's has become, by the chain's place in the settings. */
export function written(where: string, known: Pick<Known, "groups" | "fallbacks">) {
  const [agent] = [...known.fallbacks.keys()].filter((name) => fallbackOf(name) === where)
  if (agent !== undefined) return known.fallbacks.get(agent)
  const [id] = [...known.groups.keys()].filter((name) => groupOf(name) === where)
  return id === undefined ? undefined : known.groups.get(id)
}

export const chainOf = (found: Group, known: Pick<Known, "chains">): Chain => ({
  id: found.id,
  members: found.members,
  onRefusal: CombinedChain.onRefusal(Object.hasOwn(known.chains, found.id) ? known.chains[found.id] : undefined),
})

/** A model that is not a combined one, as a chain of one member. */
export function alone({ providerID, modelID }: Name, known: Known): Chain {
  // If the model is a member of a group, its identity is known from there.
  const name = { providerID, modelID }
  const groups = [...known.groups.values(), ...known.reduced().values()]
  const member = groups.flatMap((item) => item.members).find((item) => CombinedMember.same(item, name))
  const { how: _, ...own }: CombinedMember.Member = member ?? { ...name, identity: CombinedMember.key(name) }
  return { id: CombinedMember.key(name), members: [own], chosen: true }
}

/**
 * A chain with its fallback: that of the first agent that has one, or else the one for every model without a chain of
 * its own. Undefined if there is none.
 */
export function extended(chain: Chain, known: Known, agents: readonly string[]): Chain | undefined {
  const agent =
    agents.find((item) => known.fallbacks.has(item)) ?? (Object.hasOwn(known.chains, chain.id) ? undefined : "")
  const more = agent === undefined ? undefined : known.fallbacks.get(agent)
  if (!more) return undefined
  const own = known.chains[HIDDEN + agent]
  const further = more.members.filter((item) => !chain.members.some((other) => CombinedMember.same(item, other)))
  return {
    id: chain.id,
    members: [...chain.members, ...further],
    chosen: chain.chosen,
    onRefusal: chain.onRefusal ?? CombinedChain.onRefusal(own),
  }
}

export * as CombinedFallback from "./fallback"
