/**
 * The virtual provider `combined`, wrapped around upstream's provider service.
 *
 * `list` and `getProvider` show it. `getModel("combined", id)` returns the concrete model of the current member, so
 * that everything built from the model (messages, tool schemas, options, cost) is built for that provider.
 */
import path from "path"
import type { Config } from "@/config/config"
import type { Provider } from "@/provider/provider"
import { Global } from "@opencode-ai/core/global"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import { CombinedFit } from "../request/fit"
import { CombinedGate } from "../request/gate"
import { identify, permitted } from "../identity/grouping"
import { CombinedCredentials } from "./credentials"
import { CombinedExamined } from "./examined"
import {
  CombinedListing,
  ID,
  type Asked,
  type Catalogue,
  type Chain,
  type Info,
  type Known as Listed,
  type ModelID,
  type ProviderID,
  type Providers,
} from "./listing"
import { CombinedRoute } from "./route"
import { CombinedTimeouts } from "./timeouts"
import { CombinedPool } from "../host/pool"
import type { Failure } from "../failure/classify"
import { CombinedFile } from "../config/file"
import { CombinedWelcome } from "../config/welcome"
import type { CombinedMistakes } from "../mistakes"
import { CombinedSettings } from "../settings"
import { CombinedVariant } from "../choice/variant"
import { CombinedNotice } from "../turn/notice"
import { CombinedPicture } from "../view/picture"
import type { Steer } from "../choice/steer"
import { CombinedSteering } from "../host/steering"
import { CombinedMember } from "../member"

type Dependencies = {
  readonly config: Pick<Config.Interface, "get">
  readonly modelsDev: { readonly get: () => Effect.Effect<Listed> }
  readonly notFound: typeof Provider.ModelNotFoundError
}

/** On the wrapped service: finds the small model that goes with a chosen one. */
const SMALL = Symbol.for("opencode.combined.small")

/** On the wrapped service: everything that goes into a report. */
const KNOWN = Symbol.for("opencode.combined.known")

/** What is combined, and what is wrong in the settings. */
export type Known = {
  readonly catalogue: Catalogue
  readonly config: Info
  readonly mistakes: readonly CombinedMistakes.Mistake[]
  /** What is known about the members of groups, outside any session. */
  readonly picture: (groups: Groups) => CombinedPicture.Picture
  /** The catalogue of providers, connected or not. */
  readonly listed: Listed
}

/** On the wrapped service: what is known about all members. */
const VIEW = Symbol.for("opencode.combined.view")

type Groups = Parameters<typeof CombinedPicture.picture>[0]

/** What is only known in the session. */
type InSession = Pick<CombinedPicture.Seen, "steer" | "asked"> & { readonly messages: readonly SessionV1.WithParts[] }

const NO_SESSION: InSession = { steer: {}, asked: [], messages: [] }

/** The chosen model, the agent, and what the user wants in the session. */
type Small = Asked & { readonly agent?: string; readonly steer?: Steer }

type Wrapped = Provider.Interface & {
  [KNOWN]?: Effect.Effect<Known>
  [VIEW]?: (session: InSession) => Effect.Effect<CombinedPicture.Picture>
  [SMALL]?: (asked: Small) => Effect.Effect<Provider.Model | undefined>
}

export function wrap(base: Provider.Interface, dependencies: Dependencies): Provider.Interface {
  // Upstream makes new objects when an instance is reloaded, so a new key means that the grouping must be made again.
  const cache = new WeakMap<Providers, CombinedExamined.Examined>()

  const examined = Effect.fn("CombinedCatalogue.examined")(function* () {
    const providers = yield* base.list()
    const config = yield* dependencies.config.get()
    const known = cache.get(providers)
    if (known?.config === config) return known
    const listed = yield* dependencies.modelsDev.get()
    const found = CombinedExamined.of(providers, config, listed)
    if (found.catalogue.groups.size) yield* Effect.promise(CombinedWelcome.once)
    for (const mistake of found.said) CombinedFile.report(mistake)
    yield* Effect.forEach(found.unknown, (text) => Effect.logWarning(text))
    cache.set(providers, found)
    return found
  })

  const catalogue = () => Effect.map(examined(), (found) => found.catalogue)

  const known = Effect.gen(function* () {
    const now = yield* look()
    return {
      ...(yield* examined()),
      picture: (groups: Groups) => pictured(now, groups, NO_SESSION),
      listed: yield* dependencies.modelsDev.get(),
    }
  })

  /** The current state of the groups' members: their models, health, credentials and settings. */
  const look = Effect.fnUntraced(function* () {
    const providers = yield* base.list()
    const { config, rules } = yield* examined()
    const modelOf = (item: CombinedMember.Name) => providers[item.providerID as ProviderID]?.models[item.modelID]
    const nameOf = (id: string) => providers[id as ProviderID]?.name || id
    const pool = CombinedPool.look({
      settings: patient(CombinedSettings.failover(config)),
      credentials: (id, kind) => {
        const provider = providers[id as ProviderID]
        return provider && CombinedCredentials.fingerprint(provider, undefined, kind === "quota")
      },
    })
    return { config, modelOf, nameOf, pool, rules }
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
    chain: Chain,
    { fits, steer, ...wish }: CombinedRoute.Wish & { readonly owner?: object } = {},
  ): Effect.Effect<CombinedRoute.Next> =>
    Effect.gen(function* () {
      const now = yield* look()
      const members = now.pool.among(chain.id, chain.members, steer)
      const able = fits && meets(now, fits)
      const choice = now.pool.choose(members, { ...wish, fits: able, barred: now.rules.barred(chain) })
      if (choice.type === "serve") return { ...choice, model: yield* concrete(now, choice.member, chain) }
      const [first] = choice.out
      return {
        ...choice,
        model: first && (yield* concrete(now, first.member, chain)),
        fits: first !== undefined && (able?.(first.member) ?? true),
      }
    })

  const concrete = (
    { config, modelOf, nameOf, pool, rules }: Look,
    member: CombinedMember.Member,
    chain: Chain,
  ): Effect.Effect<Provider.Model> =>
    Effect.gen(function* () {
      const { id, members } = chain
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
      const own = {
        ...model,
        options: { ...model.options, ...CombinedListing.optionsOf(member) },
        variants: CombinedVariant.named(model.variants, asked),
      }
      return CombinedRoute.mark(own, {
        id,
        variants: model.variants,
        member,
        state: {
          attempt: undefined,
          retracted: false,
          known: undefined,
          heeds: true,
          hold: undefined,
          unthinking: false,
        },
        terms: rules.termsOf(chain, member),
        usedUp: Effect.map(look(), (now) =>
          now.rules
            .termsOf(chain, member)
            .plans.flatMap((plan) => {
              const cooldown = now.pool.cooling(plan)
              if (cooldown?.kind === "quota") return [{ providerID: plan.providerID, message: cooldown.message }]
              const used = now.pool.nearlyUsed(plan)
              return used ? [{ providerID: plan.providerID, message: CombinedNotice.nearlyUsed(used, Date.now()) }] : []
            })
            .at(0),
        ),
        forgone: new Set(),
        settings: { ...pool.settings, onRefusal: chain.onRefusal },
        instead: CombinedMember.isSameModel(member, members[0]) ? undefined : members[0].modelID,
        timeouts: CombinedTimeouts.own(config.provider?.[member.providerID]?.options),
        next: (wish) => serve(chain, { ...wish, owner }),
        fail: (failure) => fail(member, failure),
        blame: (other, failure) =>
          Effect.suspend(() => fail(members.find((item) => CombinedMember.same(item, other)) ?? other, failure)),
        succeed: Effect.map(look(), (now) => now.pool.succeed(member, began)),
        see: (windows) => pool.see(member, windows),
        permits: (steer) => Effect.map(look(), (now) => now.pool.among(id, members, steer).includes(member)),
        ruledOut: (steer) =>
          Effect.map(look(), (now) =>
            members.flatMap((item) => {
              const reason = now.pool.reason(id, members, item, steer)
              return reason ? [{ member: item, reason }] : []
            }),
          ),
        leftOut: (steer) =>
          Effect.map(look(), (now) => {
            const allowed = now.pool.among(id, members, steer)
            return allowed.slice(0, Math.max(0, allowed.indexOf(member))).flatMap((item) => {
              const cooldown = now.pool.cooling(item)
              return cooldown ? [{ member: item, cooldown }] : []
            })
          }),
        nameOf,
        others: ({ fits = () => true, steer, ...wish } = {}) =>
          Effect.map(look(), (now) =>
            now.pool
              .rank(now.pool.among(id, members, steer), { ...wish, owner, barred: now.rules.barred(chain) })
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
  const first = Effect.fnUntraced(function* (chain: Chain, steer?: Steer) {
    const now = yield* look()
    const members = now.pool.among(chain.id, chain.members, steer)
    const wish = { barred: now.rules.barred(chain) }
    return yield* concrete(now, now.pool.first(members.length ? members : chain.members, wish), chain)
  })

  const list = Effect.fn("CombinedCatalogue.list")(function* () {
    return (yield* catalogue()).providers
  })

  const getModel = Effect.fn("CombinedCatalogue.getModel")(function* (providerID: ProviderID, modelID: ModelID) {
    if (providerID !== ID) return yield* chainableAlone(yield* base.getModel(providerID, modelID))
    const known = yield* catalogue()
    const found = CombinedListing.find(known, modelID)
    // Nothing is combined, or the user has a provider with our name: leave it to upstream.
    if (!found && !known.groups.size) return yield* base.getModel(providerID, modelID)
    if (!found) return yield* new dependencies.notFound({ providerID, modelID, suggestions: near(known, modelID) })
    const own = CombinedListing.chainOf(found, known)
    return chainable(yield* first(own), known, own)
  })

  const isAlone = Effect.map(dependencies.config.get(), (config) => !CombinedSettings.hasFallback(config))

  const chainableAlone = Effect.fn("CombinedCatalogue.chainableAlone")(function* (model: Provider.Model) {
    return (yield* isAlone) ? model : chainable(model, yield* catalogue(), undefined)
  })

  /** The model, marked if it may have a fallback, so that the agent's fallback can be added later. */
  const chainable = (model: Provider.Model, known: Catalogue, own: Chain | undefined) =>
    known.fallbacks.size === 0
      ? model
      : CombinedRoute.chainable(model, (agents) => {
          const asked = { providerID: model.providerID, modelID: model.id }
          const chain = CombinedListing.extended(own ?? CombinedListing.alone(asked, known), known, agents)
          const member = chain?.members.find((item) => CombinedMember.same(item, asked))
          return chain && member ? Effect.flatMap(look(), (now) => concrete(now, member, chain)) : Effect.succeed(model)
        })

  const smallModel = Effect.fn("CombinedCatalogue.smallModel")(function* (providerID: ProviderID, asked?: Small) {
    const config = yield* dependencies.config.get()
    if (config.small_model?.startsWith(`${ID}/`))
      return yield* getModel(ID, config.small_model.slice(ID.length + 1) as ModelID).pipe(
        Effect.catchTag("ProviderModelNotFoundError", () => Effect.succeed(undefined)),
      )
    if (config.small_model || (providerID !== ID && (yield* isAlone))) {
      const small = yield* base.getSmallModel(providerID)
      return small && (yield* chainableAlone(small))
    }
    const known = yield* catalogue()
    // A request that only names the provider, such as one for a new copy of a project, uses the default model.
    const usual = providerID === ID ? yield* defaultModel().pipe(Effect.orElseSucceed(() => undefined)) : undefined
    const found = CombinedListing.whole(asked ?? usual, known, asked?.agent)
    if (!found) return yield* base.getSmallModel(providerID)
    const { lastResort } = CombinedSettings.failover(config)
    const { pool, rules } = yield* look()
    const steer = asked?.steer
    // If the user rules out a member, the small model of its provider is ruled out too.
    const wanted = pool.among(found.id, found.members, steer)
    if (!wanted.length) return yield* first(found, steer)
    const own = [...wanted.filter((member) => !lastResort(member)), ...wanted.filter((member) => lastResort(member))]
    const providers = [...new Set(own.map((member) => member.providerID))]
    const models = yield* Effect.forEach(providers, (item) => base.getSmallModel(item as ProviderID))
    const { require } = CombinedSettings.read(config)
    const small = models.flatMap((model) => {
      const offer = model && { providerID: model.providerID, modelID: model.id, name: model.name }
      return offer && permitted(offer, identify(offer).variant, require) ? [offer] : []
    })
    // If the chosen model's provider has no small model, upstream asks the chosen model itself.
    const lacks = providerID !== ID && !small.some((item) => item.providerID === providerID)
    const chain = { id: "small", members: lacks ? [found.members[0], ...small] : small, onRefusal: found.onRefusal }
    if (!small.length) return steer && (yield* first(found, steer))
    // If no small model may be asked, ask the members themselves.
    return yield* first(chain.members.every(rules.barred(chain)) ? found : chain, steer)
  })

  const defaultModel = Effect.fn("CombinedCatalogue.defaultModel")(function* () {
    const config = yield* dependencies.config.get()
    if (config.model) return yield* base.defaultModel()
    const known = yield* catalogue()
    const last = (yield* recent()).find(
      (item) =>
        known.providers[item.providerID]?.models[item.modelID] ||
        (item.providerID === ID && CombinedListing.find(known, item.modelID)),
    )
    return last?.providerID === ID ? last : yield* base.defaultModel()
  })

  const view = Effect.fn("CombinedCatalogue.view")(function* (session: InSession) {
    const { groups } = yield* catalogue()
    return pictured(yield* look(), [...groups.values()], session)
  })

  const pictured = ({ modelOf, nameOf, pool, rules }: Look, groups: Groups, { messages, ...session }: InSession) => {
    const warm = CombinedFit.warm(messages, Date.now(), pool.settings.stickiness)
    return CombinedPicture.picture(groups, {
      ...session,
      ...pool.facts(),
      answers: messages.flatMap(({ info }) =>
        info.role === "assistant" ? [{ member: CombinedMember.key(info), cost: info.cost }] : [],
      ),
      warm,
      price: rules.classOf,
      providerName: nameOf,
      modelName: (member) => modelOf(member)?.name ?? member.modelID,
      next: (members) => {
        const choice = pool.choose(members, { warm })
        return choice.type === "serve" ? choice.member : undefined
      },
    })
  }

  const wrapped: Wrapped = {
    ...base,
    [KNOWN]: known,
    [VIEW]: view,
    [SMALL]: (asked) => smallModel(asked.providerID, asked),
    list,
    getProvider: Effect.fn("CombinedCatalogue.getProvider")(function* (providerID: ProviderID) {
      const known = yield* catalogue()
      return providerID === ID ? CombinedListing.resolvable(known) : known.providers[providerID]
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
 * The small model that goes with a chosen one, for example for titles. Upstream looks for it by the provider's id. But
 * a combined model has its own providers, and no others may see its conversation.
 */
export function small(
  providers: Provider.Interface,
  asked: Asked & {
    readonly history?: readonly SessionV1.WithParts[]
    readonly session?: Parameters<typeof CombinedSteering.own>[0]
  },
) {
  const message = asked.history?.find(({ info }) => info.role === "user")?.info
  const { providerID, modelID } = asked
  const steer = asked.session && CombinedSteering.own(asked.session)
  const own = (providers as Wrapped)[SMALL]?.({ providerID, modelID, agent: message?.agent, ...(steer && { steer }) })
  if (!own) return providers.getSmallModel(providerID)
  return Effect.map(own, (model) => (model && steer ? CombinedRoute.steered(model, steer) : model))
}

/** What is known about combined models; undefined if the service is not ours. */
export const known = (providers: Provider.Interface) => (providers as Wrapped)[KNOWN]

/** What is known about the members of all combined models; empty if nothing is combined. */
export const view = (providers: Provider.Interface, session: InSession): Effect.Effect<CombinedPicture.Picture> =>
  (providers as Wrapped)[VIEW]?.(session) ?? Effect.succeed({ at: Date.now(), steer: session.steer, models: [] })

function near(known: Catalogue, modelID: string) {
  const words = modelID.toLowerCase().split(/[^a-z0-9]+/)
  return [...known.groups.keys()]
    .map((id) => ({ id, shared: words.filter((word) => word && id.includes(word)).length }))
    .filter((item) => item.shared > 0)
    .toSorted((a, b) => b.shared - a.shared || (a.id < b.id ? -1 : 1))
    .slice(0, 3)
    .map((item) => item.id)
}

/** With `opencode run --wait`, turns wait whatever the settings say. */
function patient(settings: CombinedSettings.Failover): CombinedSettings.Failover {
  return settings.wait || !process.env["OPENCODE_COMBINED_WAIT"]
    ? settings
    : { ...settings, wait: CombinedSettings.wait(true) }
}

/** The models that the user picked last, newest first, as stored by upstream's TUI. */
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
