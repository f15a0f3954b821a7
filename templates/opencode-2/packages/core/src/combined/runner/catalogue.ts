/** The combined models, in upstream's catalogue. */
import { Context, Effect } from "effect"
import type { Catalog } from "../../catalog"
import { Config } from "../../config"
import type { ModelV2 } from "../../model"
import type { ProviderV2 } from "../../provider"
import { CombinedChain } from "../identity/chain"
import type { Group } from "../identity/grouping"
import { CombinedSettings } from "../settings"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerSettings } from "./settings"

export type Found = CombinedRunnerListing.Found & {
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
  const last: CombinedRunnerListing.Last = {}

  const grouping = Effect.fn("CombinedRunnerCatalogue.grouping")(function* (least?: number) {
    const read = yield* settings
    const models = yield* available
    return { read, models, groups: yield* CombinedRunnerListing.groups(last, read, models, model.all(), least) }
  })

  /** Upstream's models, and the combined ones of them that can be used. */
  const listed = Effect.fn("CombinedRunnerCatalogue.models")(function* () {
    const { models, groups } = yield* grouping()
    return { models, ours: [...groups.values()].flatMap((item) => virtual(resolve(item, models)) ?? []) }
  })

  /** Also one with too few providers to be listed, for a session that chose it while it had more. */
  const find = Effect.fn("CombinedRunnerCatalogue.find")(function* (id: string) {
    const { read, models, groups } = yield* grouping()
    const item = groups.get(id) ?? (yield* grouping(1)).groups.get(id)
    const chains = CombinedSettings.read(read).groups ?? {}
    const onRefusal = CombinedChain.onRefusal(Object.hasOwn(chains, id) ? chains[id] : undefined)
    return item && { ...resolve(item, models), onRefusal }
  })

  Object.assign(catalog.provider, {
    get: Effect.fnUntraced(function* (id: ProviderV2.ID) {
      const found = yield* provider.get(id)
      if (found || id !== CombinedRunnerListing.ID) return found
      return (yield* listed()).ours.length ? CombinedRunnerListing.PROVIDER : undefined
    }),
    available: Effect.fnUntraced(function* () {
      const found = yield* provider.available()
      if (yield* Plain) return found
      return (yield* listed()).ours.length ? [...found, CombinedRunnerListing.PROVIDER] : found
    }),
  } satisfies Partial<Catalog.Interface["provider"]>)
  Object.assign(catalog.model, {
    get: Effect.fnUntraced(function* (providerID: ProviderV2.ID, id: ModelV2.ID) {
      const found = yield* model.get(providerID, id)
      if (found || providerID !== CombinedRunnerListing.ID) return found
      const known = yield* find(id)
      return known && virtual(known)
    }),
    available: () => listed().pipe(Effect.map(({ models, ours }) => [...models, ...ours])),
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

function resolve(item: Group, models: readonly ModelV2.Info[]): Found {
  const members = CombinedRunnerListing.members(item, models, (model) => Boolean(model.package))
  return { id: item.id, name: item.name, members }
}

function virtual(found: Found): ModelV2.Info | undefined {
  const model = CombinedRunnerListing.virtual(found)
  return (
    model && {
      ...model,
      modelID: model.id,
      settings: undefined,
      headers: undefined,
      body: undefined,
      variants: CombinedRunnerListing.union(found).map((id) => ({ id })),
    }
  )
}

export * as CombinedRunnerCatalogue from "./catalogue"
