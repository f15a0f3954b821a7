/** What is asked after a model, on the user's wish (`combined.fallback`, `agent.X.fallback`). Pure. */
import { CombinedChain } from "../identity/chain"
import type { Chains, Group, Options } from "../identity/grouping"
import { fallbackOf, groupOf } from "../identity/options"
import { CombinedMember, type Name } from "../member"

type Groups = ReadonlyMap<string, Group>

/** What is combined. */
export type Known = {
  readonly groups: Groups
  /** Models with too few providers to be combined. */
  readonly reduced: () => Groups
  /** What is asked after a model, by agents; "" is for every model that has no chain of its own. */
  readonly fallbacks: Groups
  /** What the user says about a group. */
  readonly chains: Chains
}

/** The members of one combined model, or of any other model with what is asked after it. */
export type Chain = {
  readonly id: string
  readonly members: readonly CombinedMember.Member[]
  readonly onRefusal?: "stop" | "next_model"
  /** The first member is the very model that the user has chosen. */
  readonly chosen?: boolean
}

/** What is asked after a model is grouped like a chain of the user's, under a name that no chain has. */
const HIDDEN = "\0"

/** All chains to group, those after a model as well. */
export function chains({ groups, fallbacks = {} }: Options): Chains {
  const hidden = Object.entries(fallbacks).map(([agent, chain]) => [HIDDEN + agent, chain] as const)
  return { ...groups, ...Object.fromEntries(hidden) }
}

/** The groups to show, and what is asked after a model, by agents. */
export function split(found: readonly Group[]) {
  const isHidden = ({ id }: Group) => id.startsWith(HIDDEN)
  return {
    groups: new Map(found.filter((item) => !isHidden(item)).map((item) => [item.id, item] as const)),
    fallbacks: new Map(found.filter(isHidden).map((item) => [item.id.slice(HIDDEN.length), item] as const)),
  }
}

/** The ids of the chains that the user may name. */
export const own = (known: Pick<Known, "chains">) => Object.keys(known.chains).filter((id) => !id.startsWith(HIDDEN))

/** The group of a chain of the user's, by its place in the settings. */
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

/** Any other model. */
export function alone({ providerID, modelID }: Name, known: Known): Chain {
  // The model is known from what is asked after it, if it is one of those.
  const name = { providerID, modelID }
  const groups = [...known.groups.values(), ...known.reduced().values()]
  const member = groups.flatMap((item) => item.members).find((item) => CombinedMember.same(item, name))
  const { how: _, ...own }: CombinedMember.Member = member ?? { ...name, identity: CombinedMember.key(name) }
  return { id: CombinedMember.key(name), members: [own], chosen: true }
}

/**
 * A chain with what is asked after it: what the first of the agents that has something says, or what is for every model
 * that has no chain of its own. Undefined if there is nothing.
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
