/** The combined models, in upstream's catalogue. */
import { Context, Effect } from "effect"
import type { Catalog } from "../../catalog"
import { Config } from "../../config"
import { ModelV2 } from "../../model"
import { ProviderV2 } from "../../provider"
import { CombinedVariant } from "../choice/variant"
import { CombinedChain } from "../identity/chain"
import { group, type Group, type Offer } from "../identity/grouping"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { CombinedRunnerSettings } from "./settings"

export const ID = ProviderV2.ID.make("combined")

export type Found = {
  readonly id: string
  readonly name: string
  /** In the order in which they are asked. */
  readonly members: readonly (CombinedMember.Member & { readonly model: ModelV2.Info })[]
  readonly onRefusal?: "stop" | "next_model"
}

type Finder = {
  readonly find: (id: string) => Effect.Effect<Found | undefined>
  readonly settings: Effect.Effect<CombinedSettings.Info>
}

/** Upstream's catalogue asks itself which providers can be used; what it then gets must not have ours. */
const Plain = Context.Reference<boolean>("@opencode/CombinedRunnerCatalogue/Plain", { defaultValue: () => false })

const finders = new WeakMap<Catalog.Interface, Finder>()

/** Adds the combined models that can be used to what upstream's catalogue says. */
export const extend = Effect.fn("CombinedRunnerCatalogue.extend")(function* (catalog: Catalog.Interface) {
  const config = yield* Config.Service
  const { provider, model } = { provider: { ...catalog.provider }, model: { ...catalog.model } }
  const available = model.available().pipe(Effect.provideService(Plain, true))
  const settings = CombinedRunnerSettings.read(config)
  const made: { of?: string; groups: ReadonlyMap<string, Group> } = { groups: new Map() }

  /** It is made again when a model is added or a setting changes. */
  const grouping = Effect.fn("CombinedRunnerCatalogue.grouping")(function* (least?: number) {
    const read = yield* settings
    const models = yield* available
    const names = models.map((item) => CombinedMember.key({ providerID: item.providerID, modelID: item.id }))
    const of = JSON.stringify([read, names])
    if (!least && made.of === of) return { models, groups: made.groups }
    const options = { ...CombinedSettings.read(read), catalogue: offers(yield* model.all()) }
    // A provider of the user's that has our name is left alone.
    const found = models.some((item) => item.providerID === ID)
      ? []
      : group(offers(models), { ...options, ...(least && { minProviders: least }) })
    const groups = new Map(found.map((item) => [item.id, item] as const))
    if (!least) Object.assign(made, { of, groups })
    return { models, groups }
  })

  const ours = Effect.fn("CombinedRunnerCatalogue.models")(function* () {
    const { models, groups } = yield* grouping()
    return [...groups.values()].flatMap((item) => virtual(resolve(item, models)) ?? [])
  })

  /** Also one with too few providers to be listed, for a session that chose it while it had more. */
  const find = Effect.fn("CombinedRunnerCatalogue.find")(function* (id: string) {
    const { models, groups } = yield* grouping()
    const item = groups.get(id) ?? (yield* grouping(1)).groups.get(id)
    const chains = CombinedSettings.read(yield* settings).groups ?? {}
    const onRefusal = CombinedChain.onRefusal(Object.hasOwn(chains, id) ? chains[id] : undefined)
    return item && { ...resolve(item, models), onRefusal }
  })

  Object.assign(catalog.provider, {
    get: Effect.fnUntraced(function* (id: ProviderV2.ID) {
      const found = yield* provider.get(id)
      return found || id !== ID || !(yield* ours()).length ? found : COMBINED
    }),
    available: Effect.fnUntraced(function* () {
      const found = yield* provider.available()
      if (yield* Plain) return found
      return (yield* ours()).length ? [...found, COMBINED] : found
    }),
  } satisfies Partial<Catalog.Interface["provider"]>)
  Object.assign(catalog.model, {
    get: Effect.fnUntraced(function* (providerID: ProviderV2.ID, id: ModelV2.ID) {
      const found = yield* model.get(providerID, id)
      if (found || providerID !== ID) return found
      const known = yield* find(id)
      return known && virtual(known)
    }),
    available: () => Effect.all([available, ours()]).pipe(Effect.map((both) => both.flat())),
  } satisfies Partial<Catalog.Interface["model"]>)
  finders.set(catalog, { find, settings })
  return catalog
})

/** A combined model by its id; undefined if there is none. */
export function find(catalog: Catalog.Interface, id: string) {
  return finders.get(catalog)?.find(id) ?? Effect.succeed(undefined)
}

export function settings(catalog: Catalog.Interface) {
  return finders.get(catalog)?.settings ?? Effect.succeed({})
}

const COMBINED = { ...ProviderV2.Info.empty(ID), name: "Combined" }

function resolve(item: Group, models: readonly ModelV2.Info[]): Found {
  const members = item.members.flatMap((member) => {
    const model = models.find((other) => other.providerID === member.providerID && other.id === member.modelID)
    return model?.package ? [{ ...member, model }] : []
  })
  return { id: item.id, name: item.name, members }
}

function offers(models: readonly ModelV2.Info[]): Offer[] {
  return models.map((model) => ({
    providerID: model.providerID,
    modelID: model.id,
    name: model.name,
    ...(model.time.released > 0 && { releaseDate: new Date(model.time.released).toISOString().slice(0, 10) }),
  }))
}

/** The maximum of all members; those that cannot do something are skipped. */
function virtual(found: Found): ModelV2.Info | undefined {
  const [first] = found.members
  if (!first) return undefined
  const all = found.members.map((member) => member.model)
  const most = (read: (model: ModelV2.Info) => number) => Math.max(...all.map(read))
  const widest = all.find((model) => model.limit.context === most((other) => other.limit.context)) ?? first.model
  const names = Object.keys(CombinedVariant.union(all.map((model) => variants(model))))
  return {
    ...first.model,
    id: ModelV2.ID.make(found.id),
    modelID: ModelV2.ID.make(found.id),
    providerID: ID,
    name: found.name,
    settings: undefined,
    headers: undefined,
    body: undefined,
    capabilities: {
      tools: all.every((model) => model.capabilities.tools),
      input: [...new Set(all.flatMap((model) => model.capabilities.input))],
      output: [...new Set(all.flatMap((model) => model.capabilities.output))],
    },
    variants: names.map((name) => ({ id: ModelV2.VariantID.make(name) })),
    limit: { ...widest.limit, output: most((model) => model.limit.output) },
  }
}

/** The variants of a model, by their names. */
export function variants(model: ModelV2.Info) {
  return Object.fromEntries(model.variants.map((item) => [item.id, item]))
}

export * as CombinedRunnerCatalogue from "./catalogue"
