import { ModelsDev } from "@opencode-ai/core/models-dev"
import { Context, Effect, Layer, Schema } from "effect"
import { Config } from "@/config/config"
import { OpenAIChat } from "./openai-chat"

type Modalities = Record<"text" | "audio" | "image" | "video" | "pdf", boolean>

export type Model = {
  id: string
  providerID: string
  api: { id: string; npm: string; url: string }
  name: string
  capabilities: {
    temperature: boolean
    reasoning: boolean
    attachment: boolean
    toolcall: boolean
    input: Modalities
    output: Modalities
  }
  cost: { input: number; output: number; cache: { read: number; write: number } }
  limit: { context: number; input?: number; output: number }
  status: "active"
  options: Record<string, unknown>
  headers: Record<string, string>
  release_date: string
  variants?: Record<string, Record<string, unknown>>
}

export type Info = {
  id: string
  name: string
  source: "env" | "config" | "custom" | "api"
  env: string[]
  key?: string
  options: Record<string, unknown>
  models: Record<string, Model>
}

type ModelKey = { providerID: string; modelID: string }

export class ModelNotFoundError extends Schema.TaggedErrorClass<ModelNotFoundError>()("ProviderModelNotFoundError", {
  providerID: Schema.String,
  modelID: Schema.String,
  suggestions: Schema.optional(Schema.Array(Schema.String)),
}) {
  override get message() {
    const near = this.suggestions?.length ? ` Did you mean: ${this.suggestions.join(", ")}?` : ""
    return `Model not found: ${this.providerID}/${this.modelID}.${near}`
  }
}

export class NoModelsError extends Schema.TaggedErrorClass<NoModelsError>()("ProviderNoModelsError", {}) {
  override get message() {
    return "No provider is configured"
  }
}

export interface Interface {
  readonly list: () => Effect.Effect<Record<string, Info>>
  readonly getProvider: (providerID: string) => Effect.Effect<Info>
  readonly getModel: (providerID: string, modelID: string) => Effect.Effect<Model, ModelNotFoundError>
  readonly getLanguage: (model: Model) => Effect.Effect<OpenAIChat.Language>
  readonly closest: (providerID: string, query: string[]) => Effect.Effect<ModelKey | undefined>
  readonly getSmallModel: (providerID: string) => Effect.Effect<Model | undefined>
  readonly defaultModel: () => Effect.Effect<ModelKey, NoModelsError>
}

export class Service extends Context.Service<Service, Interface>()("@small/Provider") {}

const SMALL = ["haiku", "mini", "nano", "flash"]

export function parseModel(text: string): ModelKey {
  const [providerID, ...rest] = text.split("/")
  return { providerID, modelID: rest.join("/") }
}

function modalities(...present: (keyof Modalities)[]): Modalities {
  const none = { text: false, audio: false, image: false, video: false, pdf: false }
  return { ...none, ...Object.fromEntries(present.map((mode) => [mode, true])) }
}

function model(provider: { id: string; npm: string; url: string }, id: string, item: Partial<ModelsDev.Model>): Model {
  return {
    id,
    providerID: provider.id,
    api: { id, npm: provider.npm, url: provider.url },
    name: item.name ?? id,
    capabilities: {
      temperature: true,
      reasoning: item.reasoning ?? false,
      attachment: false,
      toolcall: item.tool_call ?? true,
      input: modalities("text"),
      output: modalities("text"),
    },
    cost: { input: item.cost?.input ?? 0, output: item.cost?.output ?? 0, cache: { read: 0, write: 0 } },
    limit: item.limit ?? { context: 0, output: 0 },
    status: "active",
    options: {},
    headers: {},
    release_date: item.release_date ?? "",
  }
}

type Loader = (provider: Info) => Record<string, unknown>

/** What single providers need in their options. */
const custom = (_dependencies: object): Record<string, Loader> => ({
  alpha: () => ({ headers: { "x-small": "alpha" } }),
})

/** Providers of the catalogue whose key is in the environment, and those of the configuration. */
function load(
  catalogue: Record<string, ModelsDev.Provider>,
  config: Config.Info,
  env: Record<string, string | undefined>,
): Record<string, Info> {
  const ids = new Set([...Object.keys(catalogue), ...Object.keys(config.provider ?? {})])
  const found = [...ids].flatMap((id): Info[] => {
    const known = catalogue[id]
    const own = config.provider?.[id]
    const key = known?.env.map((name) => env[name]).find((value) => value)
    if ((!own && !key) || config.disabled_providers?.includes(id)) return []
    const options = { baseURL: known?.api, apiKey: key, ...own?.options }
    const base = { id, npm: own?.npm ?? known?.npm ?? "@ai-sdk/openai-compatible", url: String(options.baseURL ?? "") }
    const models = Object.entries({ ...known?.models, ...own?.models })
    return [
      {
        id,
        name: own?.name ?? known?.name ?? id,
        source: own ? "config" : "env",
        env: [...(known?.env ?? [])],
        key: typeof options.apiKey === "string" ? options.apiKey : undefined,
        options,
        models: Object.fromEntries(models.map(([modelID, item]) => [modelID, model(base, modelID, item)])),
      },
    ]
  })
  return Object.fromEntries(found.map((info) => [info.id, info]))
}

export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const config = yield* Config.Service
    const modelsDevSvc = yield* ModelsDev.Service
    const dep = {}

    const state = yield* Effect.suspend(() =>
      Effect.gen(function* () {
        const cfg = yield* config.get()
        const modelsDev = yield* modelsDevSvc.get()
        const providers = load(modelsDev, cfg, process.env)
        for (const [id, fn] of Object.entries(custom(dep))) {
          const data = providers[id]
          if (data) data.options = { ...fn(data), ...data.options }
        }
        return providers
      }),
    )
    const providers = state

    const list = () => Effect.succeed(providers)

    const getProvider = (providerID: string) => Effect.succeed(providers[providerID])

    const getModel = Effect.fn("Provider.getModel")(function* (providerID: string, modelID: string) {
      const found = providers[providerID]?.models[modelID]
      if (!found) return yield* new ModelNotFoundError({ providerID, modelID })
      return found
    })

    const clients = new Map<string, OpenAIChat.Language>()

    function resolveSDK(model: Model) {
      const provider = providers[model.providerID]
      try {
        const options = { ...provider.options }
        const key = typeof options.apiKey === "string" ? options.apiKey : undefined
        return OpenAIChat.make({ url: model.api.url, model: model.api.id, key })
      } catch (cause) {
        throw new Error(`There is no client for ${model.providerID}`, { cause })
      }
    }

    const getLanguage = Effect.fn("Provider.getLanguage")(function* (model: Model) {
      const key = `${model.providerID}/${model.id}`
      const language = clients.get(key) ?? resolveSDK(model)
      clients.set(key, language)
      return language
    })

    const closest = (providerID: string, query: string[]) => {
      const modelID = Object.keys(providers[providerID]?.models ?? {}).find((id) =>
        query.some((word) => id.includes(word)),
      )
      return Effect.succeed(modelID ? { providerID, modelID } : undefined)
    }

    const getSmallModel = Effect.fn("Provider.getSmallModel")(function* (providerID: string) {
      const wanted = (yield* config.get()).small_model
      const key = wanted ? parseModel(wanted) : yield* closest(providerID, SMALL)
      return key ? providers[key.providerID]?.models[key.modelID] : undefined
    })

    const defaultModel = Effect.fn("Provider.defaultModel")(function* () {
      const wanted = (yield* config.get()).model
      if (wanted) return parseModel(wanted)
      const [first] = Object.values(providers).flatMap((item) => Object.values(item.models))
      if (!first) return yield* new NoModelsError()
      return { providerID: first.providerID, modelID: first.id }
    })

    return Service.of({ list, getProvider, getModel, getLanguage, closest, getSmallModel, defaultModel })
  }),
)

export * as Provider from "./provider"
