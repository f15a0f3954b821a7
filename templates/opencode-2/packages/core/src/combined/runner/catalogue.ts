/** The combined models, in upstream's catalogue. */
import { Context, Effect } from "effect"
import { Config } from "../../config"
import { Credential } from "../../credential"
import { Integration } from "../../integration"
import { CombinedFallback } from "../choice/fallback"
import { CombinedFurtherAccounts } from "../further-accounts"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { isObject } from "../value"
import type { CombinedReport } from "../view/report"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerMistakes } from "./mistakes"
import { CombinedRunnerSettings } from "./settings"
import { CombinedRunnerTerms } from "./terms"
import { EventV2, open, type Catalog } from "./upstream/catalog"
import { ProviderV2, type ModelV2 } from "./upstream/models"

export type Found = CombinedRunnerListing.Found & {
  readonly onRefusal?: "stop" | "next_model"
  /** The name of a provider to show. */
  readonly nameOf: (providerID: string) => string
}

/** Everything that goes into a report. */
export type State = {
  readonly read: CombinedSettings.Info
  /** The usable models and providers, and (`listed`) all providers. */
  readonly models: readonly ModelV2.Info[]
  readonly providers: readonly ProviderV2.Info[]
  readonly listed: readonly ProviderV2.Info[]
  readonly sources: Effect.Success<ReturnType<typeof CombinedRunnerSettings.sources>>
  readonly mistakes: readonly CombinedReport.Mistake[]
  /** Models that only one provider has. */
  readonly single: Effect.Effect<readonly Found[]>
}

type Finder = {
  readonly find: (id: string, agent: string | undefined) => Effect.Effect<Found | undefined>
  readonly alone: (asked: CombinedMember.Name, agent: string | undefined) => Effect.Effect<Found | undefined>
  /** All listed combined models, without their fallbacks. */
  readonly groups: Effect.Effect<readonly Found[]>
  readonly settings: Effect.Effect<CombinedSettings.Info>
  readonly state: Effect.Effect<State>
  readonly wrong: Effect.Effect<readonly string[]>
}

/** Upstream's catalogue asks itself which providers can be used. Its answer to itself must not include ours. */
const Plain = Context.Reference<boolean>("@opencode/CombinedRunnerCatalogue/Plain", { defaultValue: () => false })

const finders = new WeakMap<Catalog, Finder>()

/** Adds the usable combined models to upstream's catalogue. */
export const extend = Effect.fn("CombinedRunnerCatalogue.extend")(function* (catalog: Catalog) {
  const config = yield* Config.Service
  const integrations = yield* Integration.Service
  const credentials = yield* Credential.Service
  const { provider, model, replace } = yield* open(catalog, config)
  const available = model.available().pipe(Effect.provideService(Plain, true))
  const events = yield* EventV2.Service
  const settings = CombinedRunnerSettings.read(config)
  const sources = CombinedRunnerSettings.sources(config)
  const last: CombinedRunnerListing.Last = {}
  const checked: { of?: CombinedFallback.Known } = {}

  const grouping = Effect.gen(function* () {
    const read = yield* settings
    const models = yield* available
    const wrong = CombinedRunnerMistakes.wrong(yield* sources)
    const known = yield* CombinedRunnerListing.known(last, read, models, model.all())
    if (wrong.length) yield* CombinedRunnerMistakes.say(events, wrong)
    if (models.length && checked.of !== known) {
      checked.of = known
      const offers = CombinedRunnerListing.offers(yield* model.all())
      const own = { offers: CombinedRunnerListing.offers(models), isNever: yield* neverOf(read, models) }
      yield* CombinedRunnerMistakes.say(events, CombinedRunnerMistakes.of(yield* sources, read, { offers, known, own }))
    }
    // A mistake may concern money or privacy. Until it is fixed, models are listed, but asking one gives an error.
    return { read, models, known, isUsable: !wrong.length }
  })

  /** Upstream's models, and the usable combined models made of them. */
  const listed = Effect.fn("CombinedRunnerCatalogue.models")(function* () {
    const { models, known } = yield* grouping
    const found = [...known.groups.values()].map((item) => ({ ...item, members: membersOf(item, models) }))
    return { models, ours: found.flatMap((item) => virtual(item) ?? []) }
  })

  /** The agent whose settings count. */
  const agentsOf = Effect.fnUntraced(function* (agent: string | undefined) {
    return [agent ?? Config.latest(yield* config.entries(), "default_agent") ?? "build"]
  })

  /** The members of a chain, with the fallback for this agent and their prices. */
  const whole = Effect.fn("CombinedRunnerCatalogue.whole")(function* (
    name: string,
    chain: CombinedFallback.Chain,
    agent: string | undefined,
  ) {
    const { known } = yield* grouping
    const own = CombinedFallback.extended(chain, known, yield* agentsOf(agent)) ?? chain
    const [found] = yield* priced([{ ...own, id: chain.id, name }])
    return found
  })

  /** Chains, with the prices of their members. */
  const priced = Effect.fn("CombinedRunnerCatalogue.priced")(function* (
    chains: readonly (CombinedFallback.Chain & { readonly name: string })[],
  ) {
    const { read, models } = yield* grouping
    const money = CombinedSettings.money(read)
    const found = chains.map((chain) => ({ ...chain, members: membersOf(chain, models) }))
    const ids = [...new Set(found.flatMap(({ members }) => members.map((member) => member.providerID)))]
    const names = new Map(
      yield* Effect.forEach(ids, (id) =>
        Effect.map(provider.get(ProviderV2.ID.make(id)), (known) => [id, known?.name || id] as const),
      ),
    )
    const nameOf = (id: string) => names.get(id) ?? id
    return yield* Effect.forEach(found, ({ id, name, onRefusal, chosen, members }) =>
      Effect.map(
        Effect.forEach(members, (member, index) =>
          Effect.map(termsOf(member, money, chosen === true && index === 0), (terms) => ({ ...member, terms })),
        ),
        (withTerms): Found => ({ id, name, members: withTerms, onRefusal, nameOf }),
      ),
    )
  })

  const groups = Effect.gen(function* () {
    const { known } = yield* grouping
    return yield* priced(
      [...known.groups.values()].map((item) => ({ ...CombinedFallback.chainOf(item, known), name: item.name })),
    )
  })

  /** What the requests of a member cost. */
  const termsOf = Effect.fnUntraced(function* (
    member: CombinedRunnerListing.Member,
    money: CombinedSettings.Money,
    chosen: boolean,
  ) {
    const price = isPriced(member, yield* config.entries()) ? CombinedRunnerTerms.priceOf(member.model) : undefined
    const login = yield* isLogin(member.providerID)
    const address = member.model.settings?.baseURL
    const where = typeof address === "string" ? address : undefined
    const source = CombinedFurtherAccounts.sourceOf(yield* settings, member.providerID)
    return CombinedRunnerTerms.of(member, { money, price, provider: source, login, chosen, address: where })
  })

  /** The models that may never be asked, because they bill each request. */
  const neverOf = Effect.fnUntraced(function* (read: CombinedSettings.Info, models: readonly ModelV2.Info[]) {
    const money = CombinedSettings.money(read)
    if (money.metered !== "never") return () => false
    const found = yield* Effect.filter(models, (item) =>
      Effect.map(termsOf(CombinedRunnerListing.single(item), money, false), (terms) => terms.priceClass === "metered"),
    )
    const names = new Set(found.map((item) => `${item.providerID}/${item.id}`))
    return (member: CombinedMember.Name) => names.has(CombinedMember.key(member))
  })

  /** Whether the user logged in to an account of the provider, instead of giving a key. */
  const isLogin = Effect.fnUntraced(function* (providerID: string) {
    const known = yield* provider.get(ProviderV2.ID.make(providerID))
    const connection = yield* integrations.connection.active(known?.integrationID ?? Integration.ID.make(providerID))
    if (connection?.type !== "credential") return false
    return (yield* credentials.get(connection.id))?.value.type === "oauth"
  })

  const find = Effect.fn("CombinedRunnerCatalogue.find")(function* (id: string, agent: string | undefined) {
    const { known, isUsable } = yield* grouping
    const item = isUsable ? CombinedRunnerListing.find(known, id) : undefined
    return item && (yield* whole(item.name, CombinedFallback.chainOf(item, known), agent))
  })

  /** A model that is not a combined one, if it has a fallback. */
  const alone = Effect.fn("CombinedRunnerCatalogue.alone")(function* (
    asked: CombinedMember.Name,
    agent: string | undefined,
  ) {
    if (!CombinedSettings.hasFallback(yield* settings)) return undefined
    const { known, isUsable } = yield* grouping
    const chain = CombinedFallback.alone(asked, known)
    if (!isUsable || !CombinedFallback.extended(chain, known, yield* agentsOf(agent))) return undefined
    const found = yield* whole(chain.id, chain, agent)
    const isFirst = found.members[0] !== undefined && CombinedMember.same(found.members[0], asked)
    return isFirst ? found : undefined
  })

  replace({
    provider: {
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
    },
    model: {
      get: Effect.fnUntraced(function* (providerID: ProviderV2.ID, id: ModelV2.ID) {
        const found = yield* model.get(providerID, id)
        if (found || providerID !== CombinedRunnerListing.ID) return found
        const { models, known } = yield* grouping
        const item = CombinedRunnerListing.find(known, id)
        return item && virtual({ ...item, members: membersOf(item, models) })
      }),
      available: Effect.fnUntraced(function* () {
        const { models, ours } = yield* listed()
        const member = yield* CombinedRunnerListing.Resolving
        return [...(member?.how?.options ? models.map((item) => asWanted(item, member)) : models), ...ours]
      }),
    },
  })

  const state = Effect.gen(function* () {
    const { read, models, known } = yield* grouping
    const reduced = [...known.reduced().values()].filter((item) => !known.groups.has(item.id))
    const found = yield* sources
    const facts = {
      known,
      offers: CombinedRunnerListing.offers(yield* model.all()),
      own: { offers: CombinedRunnerListing.offers(models), isNever: yield* neverOf(read, models) },
    }
    return {
      read,
      models,
      sources: found,
      mistakes: [...CombinedRunnerMistakes.wrong(found), ...CombinedRunnerMistakes.of(found, read, facts)],
      single: priced(reduced.map((item) => ({ ...CombinedFallback.chainOf(item, known), name: item.name }))),
      providers: yield* provider.available().pipe(Effect.provideService(Plain, true)),
      listed: yield* provider.all(),
    }
  })

  const wrong = Effect.map(sources, (found) => CombinedRunnerMistakes.wrong(found).map(CombinedRunnerMistakes.line))
  finders.set(catalog, { find, alone, groups, settings, state, wrong })
  return catalog
})

/** A combined model by its id, with the fallback for this agent; undefined if there is none. */
export function find(catalog: Catalog, id: string, agent: string | undefined) {
  return finders.get(catalog)?.find(id, agent) ?? Effect.succeed(undefined)
}

/** A model that is not a combined one, with its fallback; undefined if it has none. */
export function alone(catalog: Catalog, asked: CombinedMember.Name, agent: string | undefined) {
  return finders.get(catalog)?.alone(asked, agent) ?? Effect.succeed(undefined)
}

/** All combined models that are listed, with their members. */
export function groups(catalog: Catalog): Effect.Effect<readonly Found[]> {
  return finders.get(catalog)?.groups ?? Effect.succeed([])
}

/** Everything that a report says; undefined if the catalogue is not ours. */
export const state = (catalog: Catalog) => finders.get(catalog)?.state ?? Effect.succeed(undefined)

export function settings(catalog: Catalog) {
  return finders.get(catalog)?.settings ?? Effect.succeed({})
}

/** The options of a chain's entry count as the model's own, except two that are part of the request (history.ts). */
function asWanted(model: ModelV2.Info, member: CombinedRunnerListing.Member): ModelV2.Info {
  if (model.providerID !== member.providerID || model.id !== member.modelID) return model
  const { temperature: _, top_p: __, ...options } = member.how?.options ?? {}
  return { ...model, settings: ProviderV2.mergeOverlay(model.settings, options) }
}

/** Mistakes in the settings because of which no combined model may be asked; empty if there are none. */
export function wrong(catalog: Catalog) {
  return finders.get(catalog)?.wrong ?? Effect.succeed([])
}

const membersOf = (chain: Pick<CombinedFallback.Chain, "members">, models: readonly ModelV2.Info[]) =>
  CombinedRunnerListing.members(chain, models, (model) => Boolean(model.package))

type Entry = Effect.Success<ReturnType<Config.Interface["entries"]>>[number]

/**
 * Upstream shows an unknown price as zero. So zero only counts as a price if the configuration or the variant says so.
 */
function isPriced({ providerID, modelID, model, variant }: CombinedRunnerListing.Member, entries: readonly Entry[]) {
  if (model.cost.some((rates) => rates.input > 0 || rates.output > 0)) return true
  if (isObject(variant) && variant.free === true) return true
  return entries.some(
    (entry) => entry.type === "document" && entry.info.providers?.[providerID]?.models?.[modelID]?.cost !== undefined,
  )
}

function virtual(found: CombinedRunnerListing.Found): ModelV2.Info | undefined {
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
