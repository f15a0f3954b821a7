/** What the catalogues of both lines say about a combined model. */
import { Context, Effect } from "effect"
import { CombinedFallback } from "../choice/fallback"
import { CombinedVariant } from "../choice/variant"
import { group, identify, type Offer } from "../identity/grouping"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import type { CombinedRunnerTerms } from "./terms"
import { ModelV2, ProviderV2 } from "./upstream/models"

export const ID = ProviderV2.ID.make("combined")

/** The provider of the combined models. */
export const PROVIDER = { ...ProviderV2.Info.empty(ID), name: "Combined" }

export type Member = CombinedMember.Member & {
  readonly model: ModelV2.Info
  /** What it costs; only set where that matters. */
  readonly terms?: CombinedRunnerTerms.Terms
}

/** The member whose model upstream is resolving right now, so that the user's options for it are applied. */
export const Resolving = Context.Reference<Member | undefined>("@opencode/CombinedRunnerListing/Resolving", {
  defaultValue: () => undefined,
})

export type Found = {
  readonly id: string
  readonly name: string
  /** In the order in which they are asked. */
  readonly members: readonly Member[]
}

/** The last grouping of a catalogue, kept for reuse. */
export type Last = { of?: string; known?: CombinedFallback.Known }

/**
 * What can be combined of these models. Found again only if a model is added or a setting changes. `all` are the models
 * of every provider.
 */
export const known = Effect.fn("CombinedRunnerListing.known")(function* <E, R>(
  last: Last,
  settings: CombinedSettings.Info,
  models: readonly ModelV2.Info[],
  all: Effect.Effect<readonly ModelV2.Info[], E, R>,
) {
  const names = models.map((model) => CombinedMember.key({ providerID: model.providerID, modelID: model.id }))
  const of = JSON.stringify([settings, names])
  if (last.known && last.of === of) return last.known
  const read = CombinedSettings.read(settings)
  const chains = CombinedFallback.chains(read)
  const options = { ...read, groups: chains, catalogue: offers(yield* all) }
  // If a provider of the user's already has our name, nothing is combined.
  const isTaken = models.some((model) => model.providerID === ID)
  const grouped = (minProviders?: number) =>
    CombinedFallback.split(isTaken ? [] : group(offers(models), { ...options, ...(minProviders && { minProviders }) }))
  const { groups, fallbacks } = grouped()
  const made: { reduced?: CombinedFallback.Known["groups"] } = {}
  const known = { groups, fallbacks, chains, reduced: () => (made.reduced ??= grouped(1).groups) }
  Object.assign(last, { of, known })
  return known
})

/** A session may have chosen a model that now has too few providers to be listed; that one is found too. */
export const find = (known: CombinedFallback.Known, id: string) => known.groups.get(id) ?? known.reduced().get(id)

export function offers(models: readonly ModelV2.Info[]): Offer[] {
  return models.map((model) => ({
    providerID: model.providerID,
    modelID: model.id,
    name: model.name,
    ...(model.time.released > 0 && { releaseDate: new Date(model.time.released).toISOString().slice(0, 10) }),
  }))
}

/** The members of a group whose models upstream can ask. */
export function members(
  chain: { readonly members: readonly CombinedMember.Member[] },
  models: readonly ModelV2.Info[],
  asks: (model: ModelV2.Info) => boolean,
) {
  return chain.members.flatMap((member): Member[] => {
    const model = models.find((other) => other.providerID === member.providerID && other.id === member.modelID)
    return model && asks(model) ? [{ ...member, model }] : []
  })
}

/** A model on its own, as a member. What it is combined with does not matter. */
export function single(model: ModelV2.Info): Member {
  const name = { providerID: model.providerID, modelID: model.id }
  const { key: identity, variant } = identify({ ...name, name: model.name })
  return { ...name, identity, variant, model }
}

/**
 * The model that stands for the members. It has the largest limits of all; members that cannot do something are skipped
 * for it. How it is requested comes from the first one.
 */
export function virtual(found: Found): ModelV2.Info | undefined {
  const [first] = found.members
  if (!first) return undefined
  const all = found.members.map((member) => member.model)
  const most = (read: (model: ModelV2.Info) => number) => Math.max(...all.map(read))
  const widest = all.find((model) => model.limit.context === most((other) => other.limit.context)) ?? first.model
  return {
    ...first.model,
    id: ModelV2.ID.make(found.id),
    providerID: ID,
    name: found.name,
    capabilities: {
      tools: all.every((model) => model.capabilities.tools),
      input: [...new Set(all.flatMap((model) => model.capabilities.input))],
      output: [...new Set(all.flatMap((model) => model.capabilities.output))],
    },
    limit: { ...widest.limit, output: most((model) => model.limit.output) },
  }
}

/** The variants of all members. */
export function union({ members }: Found) {
  const names = Object.keys(CombinedVariant.union(members.map((member) => variants(member.model))))
  return names.map((name) => ModelV2.VariantID.make(name))
}

/** The variants of a model, by their names. */
export function variants(model: ModelV2.Info) {
  return Object.fromEntries(model.variants.map((item) => [item.id, item]))
}

export * as CombinedRunnerListing from "./listing"
