/**
 * The virtual provider `combined`, put around upstream's provider service.
 *
 * `list` and `getProvider` show it; `getModel("combined", id)` returns the concrete model of the current member, so
 * that everything built from the model (messages, tool schemas, options, cost) is built for that provider.
 */
import path from "path"
import type { Config } from "@/config/config"
import type { Provider } from "@/provider/provider"
import { Global } from "@opencode-ai/core/global"
import { Effect } from "effect"
import { CombinedGate } from "../request/gate"
import { group, identify, permitted, type Group, type Offer } from "../identity/grouping"
import { check } from "../identity/options"
import { CombinedCredentials } from "./credentials"
import { CombinedRoute } from "./route"
import { CombinedTimeouts } from "./timeouts"
import { CombinedPool } from "../host/pool"
import type { Failure } from "../failure/classify"
import { CombinedFile } from "../config/file"
import { CombinedMistakes } from "../mistakes"
import { CombinedSettings } from "../settings"
import { CombinedVariant } from "../choice/variant"
import { CombinedMember } from "../member"

type ProviderID = Provider.Model["providerID"]
type ModelID = Provider.Model["id"]
type Providers = Record<ProviderID, Provider.Info>
type Groups = ReadonlyMap<string, Group>
/** What upstream's config service returns; the name of that type differs between releases. */
type Info = Effect.Success<ReturnType<Config.Interface["get"]>>

type Catalogue = {
  /** What is listed: upstream's providers and, if anything is combined, ours. */
  readonly providers: Providers
  readonly groups: Groups
  /**
   * Models with too few providers to be combined. They are not listed, but a config or session that chose one while it
   * had more can still use the remaining ones.
   */
  readonly reduced: () => Groups
}

type Known = Record<string, { readonly id: string; readonly models: Record<string, Listed> }>
type Listed = { readonly id: string; readonly name: string; readonly release_date?: string }

type Dependencies = {
  readonly config: Pick<Config.Interface, "get">
  readonly modelsDev: { readonly get: () => Effect.Effect<Known> }
  readonly notFound: typeof Provider.ModelNotFoundError
}

const ID = CombinedRoute.PROVIDER_ID as ProviderID

type Asked = { readonly providerID: ProviderID; readonly modelID: ModelID }

/** On the wrapped service: the small model that goes with a chosen one. */
const SMALL = Symbol.for("opencode.combined.small")

type Wrapped = Provider.Interface & { [SMALL]?: (asked: Asked) => Effect.Effect<Provider.Model | undefined> }

export function wrap(base: Provider.Interface, dependencies: Dependencies): Provider.Interface {
  // Upstream makes new objects when an instance is reloaded, so they show whether the grouping is current.
  const cache = new WeakMap<Providers, { config: Info; catalogue: Catalogue }>()

  const catalogue = Effect.fn("CombinedCatalogue.catalogue")(function* () {
    const providers = yield* base.list()
    const config = yield* dependencies.config.get()
    const known = cache.get(providers)
    if (known?.config === config) return known.catalogue
    const made = combine(providers, config, yield* dependencies.modelsDev.get())
    for (const mistake of CombinedMistakes.contradictions(config)) CombinedFile.report(mistake)
    yield* Effect.forEach(check(CombinedSettings.read(config), offers(providers)), (text) => {
      // Without a similar name, it is probably a provider that is connected on another machine.
      if (text.includes(" Did you mean ")) CombinedFile.report(CombinedMistakes.named(config, text))
      return Effect.logWarning(text)
    })
    cache.set(providers, { config, catalogue: made })
    return made
  })

  /** What is known now of the groups' members: their models, health, credentials and settings. */
  const look = Effect.fnUntraced(function* () {
    const providers = yield* base.list()
    const config = yield* dependencies.config.get()
    const modelOf = (item: CombinedMember.Name) => providers[item.providerID as ProviderID]?.models[item.modelID]
    const pool = CombinedPool.look({
      settings: CombinedSettings.failover(config),
      credentials: (id, kind) => {
        const provider = providers[id as ProviderID]
        return provider && CombinedCredentials.fingerprint(provider, undefined, kind === "quota")
      },
    })
    return { config, modelOf, pool }
  })

  type Look = Effect.Success<ReturnType<typeof look>>

  /** Whether a member's model meets a condition. */
  const meets = ({ modelOf }: Look, condition: NonNullable<CombinedRoute.Wish["fits"]>) => {
    return (item: CombinedMember.Member) => {
      const model = modelOf(item)
      return model !== undefined && condition(model)
    }
  }

  const serve = (
    members: readonly CombinedMember.Member[],
    id: string,
    { fits, ...wish }: CombinedRoute.Wish & { readonly owner?: object } = {},
  ): Effect.Effect<CombinedRoute.Next> =>
    Effect.gen(function* () {
      const now = yield* look()
      const able = fits && meets(now, fits)
      const choice = now.pool.choose(members, { ...wish, fits: able })
      if (choice.type === "serve") return { ...choice, model: yield* concrete(now, choice.member, members, id) }
      const [first] = choice.out
      return {
        ...choice,
        model: first && (yield* concrete(now, first.member, members, id)),
        fits: first !== undefined && (able?.(first.member) ?? true),
      }
    })

  const concrete = (
    { config, modelOf, pool }: Look,
    member: CombinedMember.Member,
    members: readonly CombinedMember.Member[],
    id: string,
  ): Effect.Effect<Provider.Model> =>
    Effect.gen(function* () {
      const model = yield* base.getModel(member.providerID as ProviderID, member.modelID as ModelID).pipe(Effect.orDie)
      const began = Date.now()
      const owner = {}
      const fail = Effect.fn("CombinedCatalogue.fail")(function* (item: CombinedMember.Member, failure: Failure) {
        const now = yield* look()
        for (const other of CombinedMember.alike(item, members, failure)) {
          const problem = now.pool.fail(other, failure, began)
          if (problem) yield* Effect.logWarning("combined health is not shared", { reason: problem })
        }
      })
      const asked = members.flatMap((item) => Object.keys(modelOf(item)?.variants ?? {}))
      const own = { ...model, variants: CombinedVariant.named(model.variants, asked) }
      return CombinedRoute.mark(own, {
        id,
        variants: model.variants,
        member,
        state: { attempt: undefined, retracted: false, known: undefined, heeds: true, unthinking: false },
        forgone: new Set(),
        settings: pool.settings,
        timeouts: CombinedTimeouts.own(config.provider?.[member.providerID]?.options),
        next: (wish) => serve(members, id, { ...wish, owner }),
        fail: (failure) => fail(member, failure),
        blame: (other, failure) =>
          Effect.suspend(() => fail(members.find((item) => CombinedMember.same(item, other)) ?? other, failure)),
        succeed: Effect.map(look(), (now) => now.pool.succeed(member, began)),
        see: (windows) => pool.see(member, windows),
        others: ({ fits = () => true, ...wish } = {}) =>
          Effect.map(look(), (now) =>
            now.pool
              .rank(members, { ...wish, owner })
              .filter(meets(now, fits))
              .some((item) => !CombinedMember.same(item, member)),
          ),
        cooling: Effect.map(look(), (now) => now.pool.cooling(member)),
        held: () => pool.cooling(member),
        coolingOf: (other) => Effect.map(look(), (now) => now.pool.cooling(other)),
        unproven: Effect.map(look(), (now) => now.pool.unproven(member)),
        claim: Effect.map(look(), (now) => now.pool.claim(member, owner)),
        release: Effect.sync(() => CombinedPool.release(owner)),
      })
    })

  /** The model of the member to ask now. */
  const first = Effect.fnUntraced(function* (members: readonly CombinedMember.Member[], id: string) {
    const now = yield* look()
    return yield* concrete(now, now.pool.first(members), members, id)
  })

  const list = Effect.fn("CombinedCatalogue.list")(function* () {
    return (yield* catalogue()).providers
  })

  const getModel = Effect.fn("CombinedCatalogue.getModel")(function* (providerID: ProviderID, modelID: ModelID) {
    if (providerID !== ID) return yield* base.getModel(providerID, modelID)
    const known = yield* catalogue()
    const found = find(known, modelID)
    // Nothing is combined, or the user has a provider with that name: upstream handles it.
    if (!found && !known.groups.size) return yield* base.getModel(providerID, modelID)
    if (!found) return yield* new dependencies.notFound({ providerID, modelID, suggestions: near(known, modelID) })
    return yield* first(found.members, found.id)
  })

  const smallModel = Effect.fn("CombinedCatalogue.smallModel")(function* (providerID: ProviderID, asked?: Asked) {
    const config = yield* dependencies.config.get()
    if (config.small_model?.startsWith(`${ID}/`))
      return yield* getModel(ID, config.small_model.slice(ID.length + 1) as ModelID).pipe(
        Effect.catchTag("ProviderModelNotFoundError", () => Effect.succeed(undefined)),
      )
    if (config.small_model || providerID !== ID) return yield* base.getSmallModel(providerID)
    // A request that only names the provider (such as for a new copy of a project) uses the default model.
    const chosen = asked ?? (yield* defaultModel().pipe(Effect.orElseSucceed(() => undefined)))
    const found = chosen?.providerID === ID ? find(yield* catalogue(), chosen.modelID) : undefined
    if (!found) return yield* base.getSmallModel(providerID)
    const { lastResort } = CombinedSettings.failover(config)
    const own = [
      ...found.members.filter((member) => !lastResort(member)),
      ...found.members.filter((member) => lastResort(member)),
    ]
    const providers = [...new Set(own.map((member) => member.providerID))]
    const models = yield* Effect.forEach(providers, (item) => base.getSmallModel(item as ProviderID))
    const { require } = CombinedSettings.read(config)
    const members = models.flatMap((model) => {
      const offer = model && { providerID: model.providerID, modelID: model.id, name: model.name }
      return offer && permitted(offer, identify(offer).variant, require) ? [offer] : []
    })
    if (!members.length) return undefined
    return yield* first(members, "small")
  })

  const defaultModel = Effect.fn("CombinedCatalogue.defaultModel")(function* () {
    const config = yield* dependencies.config.get()
    if (config.model) return yield* base.defaultModel()
    const known = yield* catalogue()
    const last = (yield* recent()).find(
      (item) =>
        known.providers[item.providerID]?.models[item.modelID] || (item.providerID === ID && find(known, item.modelID)),
    )
    return last?.providerID === ID ? last : yield* base.defaultModel()
  })

  const wrapped: Wrapped = {
    ...base,
    [SMALL]: (asked) => smallModel(asked.providerID, asked),
    list,
    getProvider: Effect.fn("CombinedCatalogue.getProvider")(function* (providerID: ProviderID) {
      const known = yield* catalogue()
      return providerID === ID ? resolvable(known) : known.providers[providerID]
    }),
    getModel,
    getLanguage: (model) =>
      base.getLanguage(model).pipe(Effect.map((language) => CombinedGate.guarded(model, language))),
    getSmallModel: (providerID) => smallModel(providerID),
    defaultModel,
  }
  return wrapped
}

/**
 * The small model that goes with a chosen one, for example for titles. Upstream asks for it by the provider's id, but
 * a combined model has its own providers, and no others may see its conversation.
 */
export function small(providers: Provider.Interface, asked: Asked) {
  return (providers as Wrapped)[SMALL]?.(asked) ?? providers.getSmallModel(asked.providerID)
}

function combine(providers: Providers, config: Info, known: Known): Catalogue {
  const none: Groups = new Map()
  if (config.disabled_providers?.includes(ID) || providers[ID]) return { providers, groups: none, reduced: () => none }
  const options = { ...CombinedSettings.read(config), catalogue: offers(known) }
  const grouped = (minProviders?: number) =>
    new Map(
      group(offers(providers), { ...options, ...(minProviders && { minProviders }) }).map(
        (item) => [item.id, item] as const,
      ),
    )
  const groups = grouped()
  // Reading the whole catalogue takes a while; users with two or more providers rarely need this.
  const reduced = lazy(() => new Map([...grouped(1)].filter(([id]) => !groups.has(id))))
  return { groups, reduced, providers: groups.size ? { ...providers, [ID]: provider(groups, providers) } : providers }
}

function lazy<A>(make: () => A) {
  const made: { value?: A } = {}
  return () => (made.value ??= make())
}

function find(known: Catalogue, modelID: string) {
  return known.groups.get(modelID) ?? known.reduced().get(modelID)
}

/** Our provider with everything that can be requested, also what is not listed. */
function resolvable(known: Catalogue) {
  const reduced = known.reduced()
  const listed = known.providers[ID]
  if (!reduced.size) return listed
  const whole = provider(reduced, known.providers)
  return { ...whole, models: { ...listed?.models, ...whole.models } }
}

function provider(groups: Groups, providers: Providers): Provider.Info {
  const models = Object.fromEntries(
    [...groups.values()].map((item) => [
      item.id,
      virtual(
        item,
        item.members.map((member) => providers[member.providerID as ProviderID].models[member.modelID]),
      ),
    ]),
  )
  return { id: ID, name: "Combined", source: "custom", env: [], options: {}, models }
}

function offers(providers: Known): Offer[] {
  return Object.values(providers).flatMap((provider) =>
    Object.values(provider.models).map((model) => ({
      providerID: provider.id,
      modelID: model.id,
      name: model.name,
      releaseDate: model.release_date,
    })),
  )
}

/**
 * What the picker shows. What a member must be able to do for one request (room, images) is decided when the request
 * is made, so the maximum is offered, and all variants, for which each member has its own. Features for a whole session
 * are offered only if every member has them. The price is that of the preferred member.
 */
function virtual(item: Group, members: readonly Provider.Model[]): Provider.Model {
  const [first] = members
  const every = (can: (model: Provider.Model) => boolean) => members.every(can)
  const most = (read: (model: Provider.Model) => number | undefined) =>
    Math.max(...members.map((model) => read(model) ?? 0))
  const modes = ["text", "audio", "image", "video", "pdf"] as const
  const modalities = (side: "input" | "output") =>
    Object.fromEntries(modes.map((mode) => [mode, members.some((model) => model.capabilities[side][mode])])) as Record<
      (typeof modes)[number],
      boolean
    >
  return {
    ...first,
    id: item.id as ModelID,
    providerID: ID,
    name: item.name,
    headers: {},
    options: {},
    // Context and input belong together: those of the member with the most room.
    limit: {
      ...(members.find((model) => model.limit.context === most((other) => other.limit.context)) ?? first).limit,
      output: most((model) => model.limit.output),
    },
    capabilities: {
      ...first.capabilities,
      temperature: every((model) => model.capabilities.temperature),
      reasoning: every((model) => model.capabilities.reasoning),
      attachment: members.some((model) => model.capabilities.attachment),
      toolcall: every((model) => model.capabilities.toolcall),
      input: modalities("input"),
      output: modalities("output"),
    },
    variants: CombinedVariant.union(members.map((model) => model.variants)),
  }
}

function near(known: Catalogue, modelID: string) {
  const words = modelID.toLowerCase().split(/[^a-z0-9]+/)
  return [...known.groups.keys()]
    .map((id) => ({ id, shared: words.filter((word) => word && id.includes(word)).length }))
    .filter((item) => item.shared > 0)
    .toSorted((a, b) => b.shared - a.shared || (a.id < b.id ? -1 : 1))
    .slice(0, 3)
    .map((item) => item.id)
}

/** The models that the user picked last, newest first, as upstream's TUI writes them. */
const recent = () =>
  Effect.promise(async (): Promise<{ providerID: ProviderID; modelID: ModelID }[]> => {
    const stored: unknown = await Bun.file(path.join(Global.Path.state, "model.json"))
      .json()
      .catch(() => undefined)
    const items = (stored as { recent?: unknown } | undefined)?.recent
    return Array.isArray(items)
      ? items.filter((item) => typeof item?.providerID === "string" && typeof item?.modelID === "string")
      : []
  })

export * as CombinedCatalogue from "./catalogue"
