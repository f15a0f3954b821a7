/** What the catalogues of both lines say of a combined model. */
import { Effect } from "effect"
import { ModelV2 } from "../../model"
import { ProviderV2 } from "../../provider"
import { CombinedVariant } from "../choice/variant"
import { group, type Group, type Offer } from "../identity/grouping"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"

export const ID = ProviderV2.ID.make("combined")

/** The provider of the combined models. */
export const PROVIDER = { ...ProviderV2.Info.empty(ID), name: "Combined" }

export type Member = CombinedMember.Member & { readonly model: ModelV2.Info }

export type Found = {
  readonly id: string
  readonly name: string
  /** In the order in which they are asked. */
  readonly members: readonly Member[]
}

/** The last grouping of a catalogue. */
export type Last = { of?: string; groups?: ReadonlyMap<string, Group> }

/**
 * The groups of these models, by their ids. They are made again when a model is added or a setting changes. `all` are
 * the models of every provider, `least` the providers that a group needs, if not those of the settings.
 */
export const groups = Effect.fn("CombinedRunnerListing.groups")(function* <E, R>(
  last: Last,
  settings: CombinedSettings.Info,
  models: readonly ModelV2.Info[],
  all: Effect.Effect<readonly ModelV2.Info[], E, R>,
  least?: number,
) {
  const names = models.map((model) => CombinedMember.key({ providerID: model.providerID, modelID: model.id }))
  const of = JSON.stringify([settings, names])
  if (!least && last.groups && last.of === of) return last.groups
  const options = { ...CombinedSettings.read(settings), catalogue: offers(yield* all) }
  // A provider of the user's that has our name is left alone.
  const found = models.some((model) => model.providerID === ID)
    ? []
    : group(offers(models), { ...options, ...(least && { minProviders: least }) })
  const made: ReadonlyMap<string, Group> = new Map(found.map((item) => [item.id, item] as const))
  if (!least) Object.assign(last, { of, groups: made })
  return made
})

function offers(models: readonly ModelV2.Info[]): Offer[] {
  return models.map((model) => ({
    providerID: model.providerID,
    modelID: model.id,
    name: model.name,
    ...(model.time.released > 0 && { releaseDate: new Date(model.time.released).toISOString().slice(0, 10) }),
  }))
}

/** The members of a group whose models upstream can ask. */
export function members(item: Group, models: readonly ModelV2.Info[], asks: (model: ModelV2.Info) => boolean) {
  return item.members.flatMap((member): Member[] => {
    const model = models.find((other) => other.providerID === member.providerID && other.id === member.modelID)
    return model && asks(model) ? [{ ...member, model }] : []
  })
}

/**
 * The model that stands for the members, with the maximum of all; those that cannot do something are skipped. How it
 * is requested is the first one's.
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
