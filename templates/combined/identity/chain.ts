// The user's own groups: chains of models in the order in which they are asked.
//
// chain.py in opencode-patcher is the same in Python; the two agree on every input.
import { compare } from "./scan"

/** How a member of a chain is asked, if the user says so. */
export type How = {
  /** The effort to ask for, under the name of the group's variant, whatever was chosen for the session. */
  readonly variant?: string
  /** Options of the model for these requests; `temperature` and `top_p` count too. */
  readonly options?: Readonly<Record<string, unknown>>
  /** It is only asked if a member before it has failed with one of these classes of failures. */
  readonly when?: readonly string[]
}

/** `provider/model`, or `combined/x` for the members of another group. */
export type Item = string | ({ readonly model: string } & How)

/** A group of the user's: a list of models, or an object with further settings. */
export type Chain =
  | readonly Item[]
  | {
      readonly models: readonly Item[]
      /** `priority` puts the members in the order of `provider_priority`. Default: as written. */
      readonly order?: "written" | "priority"
      /** Whether the next different model is asked when one refuses the content. Default: stop. */
      readonly on_refusal?: "stop" | "next_model"
    }

export type Chains = Readonly<Record<string, Chain>>

const COMBINED = "combined/"

export function items(chain: Chain): readonly { readonly model: string; readonly how: How }[] {
  const listed = "models" in chain ? chain.models : chain
  return listed.map((item) => {
    if (typeof item === "string") return { model: item, how: {} }
    const { model, variant, options, when } = item
    return {
      model,
      how: { ...(variant !== undefined && { variant }), ...(options && { options }), ...(when && { when }) },
    }
  })
}

/**
 * Reads a chain from an unchecked value (upstream accepts any key of an agent); it may also be the name of one model.
 * Undefined if it is not a chain.
 */
export function parse(value: unknown): Chain | undefined {
  const listed = typeof value === "string" ? [value] : isObject(value) && "models" in value ? value.models : value
  if (!Array.isArray(listed) || !listed.every(isItem)) return undefined
  return isObject(value) && !Array.isArray(value) ? (value as Chain) : listed
}

function isItem(value: unknown): value is Item {
  if (typeof value === "string") return true
  if (!isObject(value) || typeof value.model !== "string") return false
  const { variant, options, when } = value
  return (
    (variant === undefined || typeof variant === "string") &&
    (options === undefined || isObject(options)) &&
    (when === undefined || (Array.isArray(when) && when.every((kind) => typeof kind === "string")))
  )
}

// This folder imports nothing but itself: it is tested beside its Python twins.
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** Whether the next different model is asked if one refuses the content. */
export function onRefusal(chain: Chain | undefined) {
  return chain && "models" in chain ? chain.on_refusal : undefined
}

export function isSorted(chain: Chain) {
  return "models" in chain && chain.order === "priority"
}

/** The id of a group that stands for its members; undefined for a model. */
export function reference(model: string) {
  return model.startsWith(COMBINED) ? model.slice(COMBINED.length) : undefined
}

/** How a group is named in a chain. */
export function named(id: string) {
  return COMBINED + id
}

/** The groups that contain themselves, which are left out. Each is given as the path from it back to itself. */
export function circles(chains: Chains): string[][] {
  const inner = new Map(
    Object.entries(chains).map(([id, chain]) => [id, items(chain).flatMap(({ model }) => reference(model) ?? [])]),
  )
  const way = (from: string) => {
    const ways = [[from]]
    const seen = new Set<string>()
    for (const way of ways)
      for (const next of inner.get(way[way.length - 1]) ?? []) {
        if (next === from) return way
        if (seen.has(next)) continue
        seen.add(next)
        ways.push([...way, next])
      }
    return []
  }
  return [...inner.keys()]
    .sort(compare)
    .map(way)
    .filter((found) => found.length > 0)
}

/** A model of a chain, and how it is asked. */
export type Link<E> = { readonly entry: E; readonly how: How }

/**
 * The models of a chain in their order; a model that is there twice counts once. `find` returns the offer with a name,
 * and the members of an automatic group.
 */
export function expand<E extends { readonly rank: number }>(
  chain: Chain,
  chains: Chains,
  find: { readonly offer: (name: string) => E | undefined; readonly group: (id: string) => readonly E[] },
): Link<E>[] {
  const refused = new Set(circles(chains).flat())
  const linked = (chain: Chain): Link<E>[] => {
    const found = items(chain).flatMap(({ model, how }) => {
      const id = reference(model)
      return (id === undefined ? offered(model) : members(id)).map((link) => ({
        ...link,
        how: { ...link.how, ...how },
      }))
    })
    const once = found.filter((link, index) => found.findIndex((other) => other.entry === link.entry) === index)
    // Models that the priority does not order stay as written.
    return isSorted(chain) ? once.toSorted((a, b) => a.entry.rank - b.entry.rank) : once
  }
  const offered = (name: string): Link<E>[] => {
    const entry = find.offer(name)
    return entry ? [{ entry, how: {} }] : []
  }
  const members = (id: string): Link<E>[] => {
    if (refused.has(id)) return []
    if (Object.hasOwn(chains, id)) return linked(chains[id])
    return find.group(id).map((entry) => ({ entry, how: {} }))
  }
  return linked(chain)
}

export * as CombinedChain from "./chain"
