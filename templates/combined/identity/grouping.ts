// Which models of the user's providers are combined, under which id, and in which order.
//
// grouping.py in opencode-patcher is the same in Python; the two agree on every input.
import { CombinedChain, type Chain, type Chains, type How, type Link } from "./chain"
import type { Variant } from "./identity"
import { promised, type Require } from "./policies"
import { resolve, type Identity, type Offer } from "./resolve"
import { compare, lower, squash } from "./scan"
import { grouped } from "./rules"

export type { Chain, Chains, How, Offer, Identity, Variant }
export { resolve }

export type Options = {
  /** Providers, most preferred first. The others follow in the order of their ids. */
  priority: readonly string[]
  /** The minimum number of providers for a group. Default 2. */
  minProviders?: number
  /** Whether a name without a date means the same as its newest snapshot. Default true. */
  combineLatest?: boolean
  /** Offers to leave out: provider/model, where * stands for any text. */
  exclude?: readonly string[]
  /** The user's own groups, by their ids. */
  groups?: Chains
  /** The fallbacks, by agent; "" stands for every model that has no chain of its own. */
  fallbacks?: Chains
  /**
   * Kinds of variants that may be in one group. Default: region, host, confidential; free if the provider is listed.
   */
  variants?: readonly string[]
  /** Regions in order of preference, if a provider offers a model in several. */
  regions?: readonly string[]
  /** What providers must promise. */
  require?: Require
  /** Further offers that are not combined, but show which snapshots exist. */
  catalogue?: readonly Offer[]
}

/** `identity` is the key of the model: the members of a chain of the user's may be different models. */
export type Member = { providerID: string; modelID: string; identity: string; variant: Variant; how?: How }
export type Group = { id: string; key: string; name: string; members: readonly Member[] }

type Entry = { offer: Offer; identity: Identity; rank: number; listed: boolean }
/** `short` is undefined for a group of the user's. */
type Draft = { short: string | undefined; id: string; key: string; qualified: string; links: readonly Link<Entry>[] }

export const VARIANTS = ["free", "quantised", "context", "region", "host", "confidential"] as const
/**
 * Free offers have other terms for the user's data. So without `variants`, they are only combined if the user lists
 * their provider.
 */
export const DEFAULT_VARIANTS: readonly string[] = ["region", "host", "confidential"]

/** What one offer's id says. `group` knows more, because it sees the other offers too. */
export function identify(offer: Offer): { key: string; variant: Variant } {
  const [identity] = resolve([offer])
  return { key: identity.key, variant: identity.variant }
}

/** The combined models of the offers, in the order of their ids. */
export function group(offers: readonly Offer[], options: Options): Group[] {
  const patterns = (options.exclude ?? []).map(lower)
  const ranks = rankOf(offers, options.priority)
  // If there can be no group, the catalogue need not be read.
  if (ranks.size < (options.minProviders ?? 2) && Object.keys(options.groups ?? {}).length === 0) return []
  // Excluded offers also show which snapshots and sizes exist.
  const identities = resolve(offers, options.catalogue)
  const all = offers.map((offer, index): Entry => {
    const rank = ranks.get(offer.providerID)
    return { offer, identity: identities[index], rank: rank ?? options.priority.length, listed: rank !== undefined }
  })
  const entries = all.filter(
    ({ offer, identity }) => !isExcluded(offer, patterns) && permitted(offer, identity.variant, options.require),
  )
  const automatic = uniqueIDs(options, automaticGroups(entries, options))
  const own = ownGroups(entries, options, automatic)
  return [...own, ...automatic].map(finish).sort((a, b) => compare(a.id, b.id))
}

// The user's own groups have the user's name, the others the name of their best offer.
function finish(draft: Draft): Group {
  const best = draft.links[0].entry.offer
  return {
    id: draft.id,
    key: draft.key,
    name: (draft.short === undefined ? "" : best.name || best.modelID) || draft.id,
    members: draft.links.map(({ entry, how }) => ({
      providerID: entry.offer.providerID,
      modelID: entry.offer.modelID,
      identity: entry.identity.key,
      variant: entry.identity.variant,
      ...(Object.keys(how).length > 0 && { how }),
    })),
  }
}

// Each model gets the first of these ids that is unique: the name without a date if that means this snapshot, the name,
// the name with its vendor, the same with a number. The user's own ids stay as they are.
function uniqueIDs(options: Options, automatic: readonly Draft[]) {
  const taken = new Set(Object.keys(options.groups ?? {}))
  const wishes = new Map<string, number>()
  for (const draft of automatic)
    for (const wish of new Set([draft.short ?? "", draft.id])) wishes.set(wish, (wishes.get(wish) ?? 0) + 1)
  const numbers = new Map<string, number>()
  return automatic
    .toSorted((a, b) => compare(a.key, b.key))
    .map((draft) => {
      const free = [draft.short, draft.id].find((wish) => wish && wishes.get(wish) === 1 && !taken.has(wish))
      let number = numbers.get(draft.qualified) ?? 1
      let id = free ?? draft.qualified
      if (free === undefined) {
        while (taken.has(id) || wishes.has(id)) {
          number += 1
          id = draft.qualified + "-" + number
        }
      }
      numbers.set(draft.qualified, number)
      taken.add(id)
      return { ...draft, id }
    })
}

// The position of each provider in the priority; undefined for others.
function rankOf(offers: readonly Offer[], priority: readonly string[]) {
  const names = priority.map(squash)
  const ranks = new Map<string, number | undefined>()
  for (const { providerID } of offers) {
    if (ranks.has(providerID)) continue
    const rank = names.indexOf(squash(providerID))
    ranks.set(providerID, rank < 0 ? undefined : rank)
  }
  return ranks
}

/** Whether an offer may be a member at all: the user trusts its provider, or the provider promises what is required. */
export function permitted(offer: Offer, variant: Variant, require: Require = {}) {
  if (!require.no_training && !require.region) return true
  const [name, provider] = [lower(offer.providerID + "/" + offer.modelID), lower(offer.providerID)]
  const trusted = require.trust?.some((pattern) => fits(lower(pattern), pattern.includes("/") ? name : provider))
  return trusted || promised(offer.providerID, offer.modelID, variant, require)
}

export function isExcluded(offer: Offer, patterns: readonly string[]) {
  if (!patterns.length) return false
  const text = lower(offer.providerID + "/" + offer.modelID)
  return patterns.some((pattern) => fits(pattern, text))
}

/** Whether the text matches the pattern; * stands for any text. */
export function fits(pattern: string, text: string) {
  const parts = pattern.split("*")
  if (parts.length === 1) return pattern === text
  const first = parts[0]
  const last = parts[parts.length - 1]
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  const end = text.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

function ownGroups(entries: readonly Entry[], options: Options, automatic: readonly Draft[]): Draft[] {
  const chains = options.groups ?? {}
  const ids = Object.keys(chains)
  if (ids.length === 0) return []
  const byName = new Map(entries.map((entry) => [entry.offer.providerID + "/" + entry.offer.modelID, entry]))
  const byID = new Map(automatic.map((draft) => [draft.id, draft]))
  // A model with too few providers for a group of its own may still be part of one.
  const reduced = lazily(
    () =>
      new Map(
        uniqueIDs(options, automaticGroups(entries, { ...options, minProviders: 1 })).map((draft) => [draft.id, draft]),
      ),
  )
  const find = {
    offer: (name: string) => byName.get(name),
    group: (id: string) => (byID.get(id) ?? reduced().get(id))?.links.map((link) => link.entry) ?? [],
  }
  const refused = new Set(CombinedChain.circles(chains).flat())
  return ids.flatMap((id) => {
    const links = refused.has(id) ? [] : CombinedChain.expand(chains[id], chains, find)
    return links.length > 0 ? [{ short: undefined, id, key: id, qualified: id, links }] : []
  })
}

function lazily<A>(make: () => A) {
  const made: { value?: A } = {}
  return () => (made.value ??= make())
}

function automaticGroups(entries: readonly Entry[], options: Options): Draft[] {
  const allowed = new Set(options.variants ?? DEFAULT_VARIANTS)
  const latest = options.combineLatest ?? true
  const free = (entry: Entry) => (options.variants ? allowed.has("free") : entry.listed)
  const ending = (entry: Entry) => endingOf(entry.identity, allowed, latest, free(entry))
  const drafts = grouped(entries, (entry) => entry.identity.key + ending(entry))
  const fewest = options.minProviders ?? 2
  const order = orderOf(options.regions ?? [])
  return [...drafts].flatMap(([key, members]) => {
    // Most models have only one offer: nothing to count.
    if (members.length < fewest || new Set(members.map((entry) => entry.offer.providerID)).size < fewest) return []
    const { stem, name, vendor } = members[0].identity
    const end = ending(members[0])
    return {
      short: members.some((entry) => entry.identity.undated) ? idOf(stem + end) : "",
      id: idOf(name + end),
      key,
      qualified: idOf((vendor && vendor + "-") + name + end),
      links: members.toSorted(order).map((entry) => ({ entry, how: {} })),
    }
  })
}

// What keeps an offer out of its key's group: variants that may not be combined and, if the user wants that, a date.
function endingOf(
  { variant, undated, written }: Identity,
  allowed: ReadonlySet<string>,
  latest: boolean,
  free: boolean,
) {
  return (
    (!latest && undated && written ? "-dated" : "") +
    (variant.quantisation && !allowed.has("quantised") ? "-" + variant.quantisation : "") +
    (variant.context && !allowed.has("context") ? "-" + variant.context : "") +
    (variant.region && !allowed.has("region") ? "-" + variant.region : "") +
    (variant.host && !allowed.has("host") ? "-" + variant.host : "") +
    (variant.confidential && !allowed.has("confidential") ? "-confidential" : "") +
    (variant.free && !free ? "-free" : "")
  )
}

function idOf(name: string) {
  return name.replace(/[\x00-,/:-`{-\x7f]+/g, "-") || "model"
}

// Providers by rank, then by id; free offers of providers that the user did not list come last.
function orderOf(regions: readonly string[]) {
  const preferred = regions.map(lower)
  const region = (variant: Variant) => {
    const place = preferred.indexOf(variant.region)
    if (place >= 0) return place
    return preferred.length + (variant.region === "" ? 0 : variant.region === "global" ? 1 : 2)
  }
  return (a: Entry, b: Entry) => {
    const [left, right] = [a.identity.variant, b.identity.variant]
    if (a.rank !== b.rank) return a.rank - b.rank
    const free = Number(left.free) - Number(right.free)
    if (!a.listed && free !== 0) return free
    return (
      compare(a.offer.providerID, b.offer.providerID) ||
      free ||
      Number(left.quantisation !== "") - Number(right.quantisation !== "") ||
      Number(left.context !== "") - Number(right.context !== "") ||
      region(left) - region(right) ||
      compare(left.region, right.region) ||
      Number(b.identity.written) - Number(a.identity.written) ||
      compare(a.offer.modelID, b.offer.modelID)
    )
  }
}
