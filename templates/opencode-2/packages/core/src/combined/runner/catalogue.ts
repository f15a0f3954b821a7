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
  /** A provider's name for people. */
  readonly nameOf: (providerID: string) => string
}

/** Everything that a report says. */
export type State = {
  readonly read: CombinedSettings.Info
  /** The models and the providers that can be used, and all providers. */
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
  /** All that are listed, without what is asked after them. */
  readonly groups: Effect.Effect<readonly Found[]>
  readonly settings: Effect.Effect<CombinedSettings.Info>
  readonly state: Effect.Effect<State>
  readonly wrong: Effect.Effect<readonly string[]>
}

/** Upstream's catalogue asks itself which providers can be used; what it then gets must not have ours. */
const Plain = Context.Reference<boolean>("@opencode/CombinedRunnerCatalogue/Plain", { defaultValue: () => false })

const finders = new WeakMap<Catalog, Finder>()

/** Adds the combined models that can be used to what upstream's catalogue says. */
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
    // A mistake may be about money or privacy: until it is mended, models are listed, and whoever asks one is told.
    return { read, models, known, isUsable: !wrong.length }
  })

  /** Upstream's models, and the combined ones of them that can be used. */
  const listed = Effect.fn("CombinedRunnerCatalogue.models")(function* () {
    const { models, known } = yield* grouping
    const found = [...known.groups.values()].map((item) => ({ ...item, members: membersOf(item, models) }))
    return { models, ours: found.flatMap((item) => virtual(item) ?? []) }
  })

  /** The agent whose settings count. */
  const agentsOf = Effect.fnUntraced(function* (agent: string | undefined) {
    return [agent ?? Config.latest(yield* config.entries(), "default_agent") ?? "build"]
  })

  /** The members of a chain, with what is asked after it for this agent, and what they cost. */
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

  /** Chains with what their members cost. */
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

  /** Whether the user logged in to an account at the provider, with no key. */
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

  /** Any other model, if something is asked after it. */
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

/** A combined model by its id, with what this agent has asked after it; undefined if there is none. */
export function find(catalog: Catalog, id: string, agent: string | undefined) {
  return finders.get(catalog)?.find(id, agent) ?? Effect.succeed(undefined)
}

/** Any other model with what is asked after it; undefined if nothing is. */
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

/** The options of a chain's entry count as the model's own; two of them are part of the request (history.ts). */
function asWanted(model: ModelV2.Info, member: CombinedRunnerListing.Member): ModelV2.Info {
  if (model.providerID !== member.providerID || model.id !== member.modelID) return model
  const { temperature: _, top_p: __, ...options } = member.how?.options ?? {}
  return { ...model, settings: ProviderV2.mergeOverlay(model.settings, options) }
}

/** Why no combined model may be asked, because of the settings; empty if it is not their fault. */
export function wrong(catalog: Catalog) {
  return finders.get(catalog)?.wrong ?? Effect.succeed([])
}

const membersOf = (chain: Pick<CombinedFallback.Chain, "members">, models: readonly ModelV2.Info[]) =>
  CombinedRunnerListing.members(chain, models, (model) => Boolean(model.package))

type Entry = Effect.Success<ReturnType<Config.Interface["entries"]>>[number]

/** Upstream makes nothing of a price that nobody knows; where nothing is to be paid, somebody has to say so. */
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
