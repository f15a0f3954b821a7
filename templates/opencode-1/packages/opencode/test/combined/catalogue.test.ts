import { afterEach, expect, setDefaultTimeout, setSystemTime } from "bun:test"
import { rm } from "fs/promises"
import path from "path"
import { LayerNode } from "@opencode-ai/core/effect/layer-node"
import { Global } from "@opencode-ai/core/global"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { ConfigV1 } from "@opencode-ai/core/v1/config/config"
import { Cause, Effect, Exit } from "effect"
import type { CombinedFailure } from "@/combined/failure/classify"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { CombinedRoute } from "@/combined/provider/route"
import { CombinedCatalogue } from "@/combined/provider/catalogue"
import { Provider } from "@/provider/provider"
import { testEffect } from "../lib/effect"
import { parsed } from "@/combined/value"

setDefaultTimeout(30_000)

const it = testEffect(LayerNode.compile(LayerNode.group([Provider.node])))

const COMBINED = ProviderV2.ID.make("combined")

const RECENT = path.join(Global.Path.state, "model.json")
afterEach(() => rm(RECENT, { force: true }))
afterEach(() => void setSystemTime())

const HOUR = 3_600_000

type Models = NonNullable<NonNullable<ConfigV1.Info["provider"]>[string]["models"]>
type Model = Models[string]

const model = (more: Partial<Model> = {}): Model => ({
  name: "GLM 4.6",
  release_date: "2025-09-30",
  attachment: true,
  reasoning: true,
  temperature: true,
  tool_call: true,
  limit: { context: 200_000, output: 10_000 },
  cost: { input: 1, output: 2 },
  ...more,
})

const provider = (models: Models) => ({
  npm: "@ai-sdk/openai-compatible",
  env: [],
  options: { apiKey: "key", baseURL: "http://127.0.0.1:1/v1" },
  models,
})

/** Two providers whose ids end in `suffix`. Each test has its own, because cooldowns are kept for the whole process. */
const pair = (suffix: string, first: Model = model(), second: Model = model(), more: Partial<ConfigV1.Info> = {}) => ({
  config: {
    provider: {
      [`alpha-${suffix}`]: provider({ "glm-4.6": first }),
      [`beta-${suffix}`]: provider({ "glm-4.6": second }),
    },
    provider_priority: [`beta-${suffix}`, `alpha-${suffix}`],
    ...more,
  },
})

const combined = Effect.gen(function* () {
  const providers = yield* Provider.Service
  return Object.values((yield* providers.getProvider(COMBINED)).models)[0]
})

const serving = Effect.gen(function* () {
  const providers = yield* Provider.Service
  return yield* providers.getModel(COMBINED, (yield* combined).id)
})

const fail = (failure: Partial<CombinedFailure.Failure> = {}) =>
  Effect.gen(function* () {
    const found = CombinedRoute.of(yield* serving)
    if (!found) return yield* Effect.die(new Error("the model was not chosen for a combined one"))
    return yield* failed(found, { kind: "rate_limit", scope: "model", message: "slow down", ...failure })
  })

/** Which member is next after this failure. */
const failed = (route: CombinedRoute.Route, failure: CombinedFailure.Failure) =>
  route.fail(failure).pipe(Effect.andThen(route.next()))

it.instance(
  "a model of two providers is listed under combined, beside its providers",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const listed = yield* providers.list()
      expect(Object.keys(listed)).toEqual(expect.arrayContaining(["combined", "alpha-list", "beta-list"]))
      expect(Object.values(listed[COMBINED].models).map((item) => [String(item.providerID), item.name])).toEqual([
        ["combined", "GLM 4.6"],
      ])
    }),
  pair("list"),
)

it.instance(
  "what the picker and the server show is valid",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const shown = Provider.toPublicInfo((yield* providers.list())[COMBINED])
      expect(Object.keys(shown.models)).toHaveLength(1)
    }),
  pair("public"),
)

it.instance(
  "a model that only one provider has is not combined",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      expect((yield* providers.list())[COMBINED]).toBeUndefined()
    }),
  {
    config: {
      provider: {
        "alpha-alone": provider({ "glm-4.6": model() }),
        "beta-alone": provider({ "kimi-k2.5": model({ name: "Kimi K2.5" }) }),
      },
    },
  },
)

const left = (suffix: string) => pair(suffix, model(), model(), { disabled_providers: [`beta-${suffix}`] })

it.instance(
  "a combined model continues with the only provider left, and is not listed",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const id = ModelV2.ID.make("glm-4.6")
      expect((yield* providers.list())[COMBINED]).toBeUndefined()
      expect(Object.keys((yield* providers.getProvider(COMBINED)).models)).toContain("glm-4.6")
      const found = yield* providers.getModel(COMBINED, id)
      expect(String(found.providerID)).toBe("alpha-left")
      const next = yield* failed(CombinedRoute.of(found)!, { kind: "overload", scope: "model", message: "busy" })
      expect(next).toMatchObject({ type: "wait", out: [{ member: { providerID: "alpha-left" } }] })
      expect(String((yield* providers.getModel(COMBINED, id)).providerID)).toBe("alpha-left")
    }),
  left("left"),
)

it.instance(
  "a combined model that was picked last stays the default when one provider is left",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      yield* picked({ providerID: "combined", modelID: "glm-4.6" })
      expect(yield* providers.defaultModel()).toMatchObject({ providerID: "combined", modelID: "glm-4.6" })
    }),
  left("leftpicked"),
)

it.instance(
  "an unlisted combined model works beside listed ones",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      expect(Object.keys((yield* providers.list())[COMBINED].models)).toEqual(["glm-4.6"])
      const found = yield* providers.getModel(COMBINED, ModelV2.ID.make("kimi-k2.5"))
      expect(String(found.providerID)).toBe("alpha-beside")
      const { models } = yield* providers.getProvider(COMBINED)
      expect(Object.keys(models)).toEqual(expect.arrayContaining(["glm-4.6", "kimi-k2.5"]))
    }),
  {
    config: {
      provider: {
        "alpha-beside": provider({ "glm-4.6": model(), "kimi-k2.5": model({ name: "Kimi K2.5" }) }),
        "beta-beside": provider({ "glm-4.6": model() }),
      },
    },
  },
)

it.instance(
  "a request for a combined model gives a plain model of the preferred provider",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const found = yield* serving
      const plain = yield* providers.getModel(ProviderV2.ID.make("beta-plain"), ModelV2.ID.make("glm-4.6"))
      // Variants that only other models have may be requested, and change nothing here.
      expect(Object.values(found.variants ?? {}).every((options) => Object.keys(options).length === 0)).toBe(true)
      expect(JSON.stringify({ ...found, variants: {} })).toBe(JSON.stringify(plain))
      expect(CombinedRoute.of(plain)).toBeUndefined()
      expect(yield* providers.getLanguage(found)).toBeDefined()
    }),
  pair("plain"),
)

it.instance(
  "without a priority the order is that of the providers' ids",
  () =>
    Effect.gen(function* () {
      expect(String((yield* serving).providerID)).toBe("alpha-order")
    }),
  pair("order", model(), model(), { provider_priority: undefined }),
)

it.instance(
  "after a failure the next one serves, at once and for all requests",
  () =>
    Effect.gen(function* () {
      const next = yield* fail()
      expect(next.type === "serve" ? String(next.model.providerID) : next.type).toBe("alpha-next")
      expect(String((yield* serving).providerID)).toBe("alpha-next")
    }),
  pair("next"),
)

it.instance(
  "the next one also knows its successor, and the last says which one to wait for",
  () =>
    Effect.gen(function* () {
      yield* fail({ retryAfter: 5000, message: "beta is out" })
      const last = yield* fail({ retryAfter: 60_000, message: "alpha is out" })
      expect(last).toMatchObject({
        type: "wait",
        out: [
          { member: { providerID: "beta-last" }, cooldown: { message: "beta is out" } },
          { member: { providerID: "alpha-last" }, cooldown: { message: "alpha is out" } },
        ],
      })
    }),
  pair("last"),
)

it.instance(
  "the preferred one serves again when its cooldown is over",
  () =>
    Effect.gen(function* () {
      yield* fail({ retryAfter: HOUR })
      expect(String((yield* serving).providerID)).toBe("alpha-back")
      setSystemTime(Date.now() + HOUR)
      expect(String((yield* serving).providerID)).toBe("beta-back")
    }),
  pair("back"),
)

it.instance(
  "a request that succeeds after another one failed does not end the cooldown",
  () =>
    Effect.gen(function* () {
      const slow = CombinedRoute.of(yield* serving)
      yield* Effect.sleep("5 millis")
      yield* fail()
      yield* slow?.succeed ?? Effect.die(new Error("the model was not chosen for a combined one"))
      expect(String((yield* serving).providerID)).toBe("alpha-slow")
    }),
  pair("slow"),
)

it.instance(
  "an unknown combined model is refused with the nearest names",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const known = (yield* combined).id
      const exit = yield* providers.getModel(COMBINED, ModelV2.ID.make("glm-9")).pipe(Effect.exit)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      expect(error).toBeInstanceOf(Provider.ModelNotFoundError)
      expect(error).toMatchObject({ providerID: "combined", modelID: "glm-9", suggestions: [known] })
    }),
  pair("near"),
)

it.instance(
  "for one request the maximum of the members is offered, and for a whole session what all have",
  () =>
    Effect.gen(function* () {
      const found = yield* combined
      expect(found.limit).toMatchObject({ context: 200_000, output: 10_000 })
      expect(found.capabilities).toMatchObject({ attachment: true, temperature: false, toolcall: true })
      expect(found.capabilities.input).toMatchObject({ text: true, image: true, audio: false })
      expect(found.cost).toMatchObject({ input: 1, output: 2 })
    }),
  pair(
    "can",
    model({
      attachment: false,
      temperature: false,
      limit: { context: 100_000, output: 10_000 },
      cost: { input: 7, output: 8 },
      modalities: { input: ["text"], output: ["text"] },
    }),
    model({
      limit: { context: 200_000, output: 8_000 },
      modalities: { input: ["text", "image"], output: ["text"] },
    }),
  ),
)

it.instance(
  "every variant that a member has is offered",
  () =>
    Effect.gen(function* () {
      const { variants } = yield* combined
      expect(Object.keys(variants ?? {})).toEqual(["low", "max", "fast", "deep"])
    }),
  pair(
    "variants",
    model({ variants: { max: { effort: "max" }, deep: { tier: "deep" } } }),
    model({ variants: { fast: { tier: "fast" }, low: { effort: "low" } } }),
  ),
)

it.instance(
  "a limit that one member lacks is taken from the others",
  () =>
    Effect.gen(function* () {
      expect((yield* combined).limit.context).toBe(200_000)
    }),
  pair("limit", model(), model({ limit: { context: 0, output: 0 } })),
)

it.instance(
  "combined can be switched off like any provider",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      expect((yield* providers.list())[COMBINED]).toBeUndefined()
      const exit = yield* providers.getModel(COMBINED, ModelV2.ID.make("glm-4-6")).pipe(Effect.exit)
      expect(Exit.isFailure(exit)).toBe(true)
    }),
  pair("off", model(), model(), { disabled_providers: ["combined"] }),
)

it.instance(
  "a provider of the user's own that is called combined is left alone",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const found = yield* providers.getModel(COMBINED, ModelV2.ID.make("mine"))
      expect(found.providerID).toBe(COMBINED)
      expect(CombinedRoute.of(found)).toBeUndefined()
      expect(Object.keys((yield* providers.list())[COMBINED].models)).toEqual(["mine"])
    }),
  {
    config: {
      provider: {
        combined: provider({ mine: model({ name: "Mine" }) }),
        "alpha-own": provider({ "glm-4.6": model() }),
        "beta-own": provider({ "glm-4.6": model() }),
      },
    },
  },
)

const withSmall = provider({
  "glm-4.6": model(),
  "claude-haiku-4-5": model({ name: "Claude Haiku 4.5", family: "claude-haiku" }),
})

const small = (suffix: string, more: Partial<ConfigV1.Info> = {}) => ({
  config: {
    provider: Object.fromEntries([`alpha-${suffix}`, `beta-${suffix}`].map((id) => [id, withSmall])),
    provider_priority: [`beta-${suffix}`, `alpha-${suffix}`],
    ...more,
  },
})

/** The small model for requests beside a combined model. */
const beside = (id = "glm-4.6") =>
  Effect.gen(function* () {
    const providers = yield* Provider.Service
    return yield* CombinedCatalogue.small(providers, { providerID: COMBINED, modelID: ModelV2.ID.make(id) })
  })

const fallOver = (found: Provider.Model | undefined) =>
  failed(CombinedRoute.of(found!)!, { kind: "auth", scope: "provider", message: "revoked" }).pipe(
    Effect.map((next) => (next.type === "serve" ? String(next.model.providerID) : next.type)),
  )

it.instance(
  "a failure of a provider with three names for the model is one failure",
  () =>
    Effect.gen(function* () {
      yield* fail({ kind: "quota", scope: "provider" })
      const state = CombinedCooldown.read(parsed(yield* Effect.promise(() => Bun.file(CombinedHealthFile.FILE).text())))
      expect(state.get("beta-names/")).toMatchObject({ kind: "quota", failures: 1 })
      expect(String((yield* serving).providerID)).toBe("alpha-names")
    }),
  {
    config: {
      provider: {
        "alpha-names": provider({ "glm-4.6": model() }),
        "beta-names": provider({ "glm-4.6": model(), "zai/glm-4.6": model(), "glm-4.6-latest": model() }),
      },
      provider_priority: ["beta-names", "alpha-names"],
    },
  },
)

it.instance(
  "the small model for a combined one is that of the preferred provider, and fails over",
  () =>
    Effect.gen(function* () {
      const found = yield* beside()
      expect([String(found?.providerID), String(found?.id)]).toEqual(["beta-small", "claude-haiku-4-5"])
      expect(yield* fallOver(found)).toBe("alpha-small")
      expect(String((yield* beside())?.providerID)).toBe("alpha-small")
    }),
  small("small"),
)

it.instance(
  "the small model for a combined one is only from its own providers, the last resort last",
  () =>
    Effect.gen(function* () {
      const found = yield* beside()
      expect(String(found?.providerID)).toBe("beta-whose")
      expect(yield* fallOver(found)).toBe("alpha-whose")
      expect(yield* fallOver(yield* beside())).toBe("wait")
      expect(String((yield* beside("kimi-k2.5"))?.providerID)).toBe("gamma-whose")
    }),
  {
    config: {
      provider: {
        "alpha-whose": withSmall,
        "beta-whose": withSmall,
        "gamma-whose": provider({
          "kimi-k2.5": model({ name: "Kimi K2.5" }),
          "claude-haiku-4-5": model({ name: "Claude Haiku 4.5", family: "claude-haiku" }),
        }),
        "delta-whose": provider({ "kimi-k2.5": model({ name: "Kimi K2.5" }) }),
      },
      provider_priority: ["gamma-whose", "alpha-whose", "beta-whose"],
      combined: { last_resort: ["alpha-whose/glm*"] },
    },
  },
)

it.instance(
  "a request for a small model by the provider alone gets that of the default model",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      expect(String((yield* providers.getSmallModel(COMBINED))?.providerID)).toBe("beta-default")
    }),
  small("default", { model: "combined/glm-4.6" }),
)

it.instance(
  "upstream chooses the small model of a plain provider",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const asked = { providerID: ProviderV2.ID.make("alpha-plainsmall"), modelID: ModelV2.ID.make("glm-4.6") }
      for (const found of [
        yield* providers.getSmallModel(asked.providerID),
        yield* CombinedCatalogue.small(providers, asked),
      ]) {
        expect(String(found?.providerID)).toBe("alpha-plainsmall")
        expect(CombinedRoute.of(found!)).toBeUndefined()
      }
    }),
  small("plainsmall"),
)

it.instance(
  "a configured small model is used for a combined one too",
  () =>
    Effect.gen(function* () {
      const found = yield* beside()
      expect([String(found?.providerID), String(found?.id)]).toEqual(["alpha-chosen", "claude-haiku-4-5"])
    }),
  small("chosen", { small_model: "alpha-chosen/claude-haiku-4-5" }),
)

it.instance(
  "if no provider has a small model there is none",
  () =>
    Effect.gen(function* () {
      expect(yield* beside()).toBeUndefined()
    }),
  pair("nosmall"),
)

it.instance(
  "a combined model can be configured as the small one",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      for (const id of [COMBINED, ProviderV2.ID.make("alpha-asked")]) {
        const found = yield* providers.getSmallModel(id)
        expect([String(found?.providerID), String(found?.id)]).toEqual(["beta-asked", "claude-haiku-4-5"])
        expect(CombinedRoute.of(found!)).toBeDefined()
      }
    }),
  small("asked", { small_model: "combined/claude-haiku-4-5" }),
)

const picked = (...items: { providerID: string; modelID: string }[]) =>
  Effect.promise(() => Bun.write(RECENT, JSON.stringify({ recent: items, favorite: [], variant: {} })))

it.instance(
  "a combined model that was picked last is the default",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const { id } = yield* combined
      yield* picked({ providerID: "combined", modelID: id }, { providerID: "alpha-recent", modelID: "glm-4.6" })
      expect(yield* providers.defaultModel()).toMatchObject({ providerID: "combined", modelID: id })
    }),
  pair("recent"),
)

it.instance(
  "a plain model that was picked after it is the default",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      yield* picked(
        { providerID: "alpha-later", modelID: "glm-4.6" },
        { providerID: "combined", modelID: (yield* combined).id },
      )
      expect(yield* providers.defaultModel()).toMatchObject({ providerID: "alpha-later", modelID: "glm-4.6" })
    }),
  pair("later"),
)

it.instance(
  "a combined model that no longer exists is skipped",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      yield* picked({ providerID: "combined", modelID: "gone" }, { providerID: "beta-gone", modelID: "glm-4.6" })
      expect(yield* providers.defaultModel()).toMatchObject({ providerID: "beta-gone", modelID: "glm-4.6" })
    }),
  pair("gone"),
)

it.instance(
  "a damaged file of recent models is skipped",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      yield* Effect.promise(() => Bun.write(RECENT, "{"))
      expect(String((yield* providers.defaultModel()).modelID)).toBe("glm-4.6")
    }),
  pair("broken"),
)

it.instance(
  "a configured model goes before the recent ones, a combined one too",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      yield* picked({ providerID: "alpha-config", modelID: "glm-4.6" })
      expect(yield* providers.defaultModel()).toMatchObject({ providerID: "combined", modelID: "some-model" })
    }),
  pair("config", model(), model(), { model: "combined/some-model" }),
)

it.instance(
  "models are combined by the groups and exclusions of the config",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const listed = Object.keys((yield* providers.list())[COMBINED].models)
      expect(listed).toContain("coding")
      const found = yield* providers.getModel(COMBINED, ModelV2.ID.make("coding"))
      expect([String(found.providerID), String(found.id)]).toEqual(["alpha-mine", "kimi-k2.5"])
      const next = yield* failed(CombinedRoute.of(found)!, { kind: "overload", scope: "model", message: "busy" })
      expect(next.type === "serve" ? [String(next.model.providerID), String(next.model.id)] : next.type).toEqual([
        "beta-mine",
        "glm-4.6",
      ])
    }),
  {
    config: {
      provider: {
        "alpha-mine": provider({ "kimi-k2.5": model({ name: "Kimi K2.5" }) }),
        "beta-mine": provider({ "glm-4.6": model() }),
      },
      combined: { groups: { coding: ["alpha-mine/kimi-k2.5", "beta-mine/glm-4.6"] } },
    },
  },
)

it.instance(
  "a rate limit applies to a provider's other names of the model too",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      const found = yield* providers.getModel(COMBINED, ModelV2.ID.make("coding"))
      expect([String(found.providerID), String(found.id)]).toEqual(["alpha-twice", "glm-4.6"])
      const next = yield* failed(CombinedRoute.of(found)!, { kind: "rate_limit", scope: "model", message: "slow down" })
      expect(next.type === "serve" ? String(next.model.providerID) : next.type).toBe("beta-twice")
    }),
  {
    config: {
      provider: {
        "alpha-twice": provider({ "glm-4.6": model(), "glm-4.6-latest": model() }),
        "beta-twice": provider({ "glm-4.6": model() }),
      },
      combined: { groups: { coding: ["alpha-twice/glm-4.6", "alpha-twice/glm-4.6-latest", "beta-twice/glm-4.6"] } },
    },
  },
)

it.instance(
  "an excluded model is not combined",
  () =>
    Effect.gen(function* () {
      const providers = yield* Provider.Service
      expect((yield* providers.list())[COMBINED]).toBeUndefined()
    }),
  pair("excluded", model(), model(), { combined: { exclude: ["beta-excluded/*"] } }),
)
