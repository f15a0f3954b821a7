export * as Catalog from "./catalog"

import { Event } from "@opencode-ai/schema/event"
import { Context, Effect, Layer } from "effect"
import { makeLocationNode } from "./effect/app-node"
import { EventV2 } from "./event"
import { Integration } from "./integration"
import { ModelV2 } from "./model"
import { ProviderV2 } from "./provider"

export const Updated = Event.define<object>()("catalog.updated")

export type ProviderRecord = { provider: ProviderV2.Info; models: Map<ModelV2.ID, ModelV2.Info> }

export type Draft = {
  readonly providers: Map<ProviderV2.ID, ProviderRecord>
  model?: ModelV2.Ref
}

/** A provider of the draft, made if it is not there. */
export function record(draft: Draft, id: ProviderV2.ID): ProviderRecord {
  const made = draft.providers.get(id) ?? { provider: ProviderV2.Info.empty(id), models: new Map() }
  draft.providers.set(id, made)
  return made
}

export interface Interface {
  /** Adds what can be asked. */
  readonly transform: (change: (draft: Draft) => void) => Effect.Effect<void>
  readonly provider: {
    readonly get: (providerID: ProviderV2.ID) => Effect.Effect<ProviderV2.Info | undefined>
    readonly all: () => Effect.Effect<ProviderV2.Info[]>
    /** Those for which there is a key. */
    readonly available: () => Effect.Effect<ProviderV2.Info[]>
  }
  readonly model: {
    readonly get: (providerID: ProviderV2.ID, modelID: ModelV2.ID) => Effect.Effect<ModelV2.Info | undefined>
    readonly all: () => Effect.Effect<ModelV2.Info[]>
    readonly available: () => Effect.Effect<ModelV2.Info[]>
    readonly default: () => Effect.Effect<ModelV2.Info | undefined>
  }
}

export class Service extends Context.Service<Service, Interface>()("@small/Catalog") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const events = yield* EventV2.Service
    const integrations = yield* Integration.Service
    const state: Draft = { providers: new Map() }

    const whole = (model: ModelV2.Info, provider: ProviderV2.Info): ModelV2.Info => ({
      ...model,
      package: model.package ?? provider.package,
      settings: ProviderV2.mergeOverlay(provider.settings, model.settings),
    })

    const modelsOf = ({ provider, models }: ProviderRecord) => [...models.values()].map((one) => whole(one, provider))

    const isAvailable = Effect.fnUntraced(function* (provider: ProviderV2.Info) {
      if (provider.disabled) return false
      if (typeof provider.settings?.apiKey === "string") return true
      return (yield* integrations.connection.active(provider.integrationID ?? provider.id)) !== undefined
    })

    const result: Interface = {
      transform: Effect.fnUntraced(function* (change) {
        change(state)
        yield* events.publish(Updated, {})
      }),

      provider: {
        get: (id) => Effect.sync(() => state.providers.get(id)?.provider),
        all: () => Effect.sync(() => [...state.providers.values()].map(({ provider }) => provider)),
        available: Effect.fnUntraced(function* () {
          return yield* Effect.filter(yield* result.provider.all(), isAvailable)
        }),
      },

      model: {
        get: Effect.fnUntraced(function* (providerID, id) {
          return (yield* result.model.all()).find((model) => model.providerID === providerID && model.id === id)
        }),
        all: () => Effect.sync(() => [...state.providers.values()].flatMap(modelsOf)),
        available: Effect.fnUntraced(function* () {
          const open = new Set((yield* result.provider.available()).map(({ id }) => id))
          return (yield* result.model.all()).filter(({ enabled, providerID }) => enabled && open.has(providerID))
        }),
        default: Effect.fnUntraced(function* () {
          const models = yield* result.model.available()
          const { model } = state
          return models.find(({ id, providerID }) => id === model?.id && providerID === model.providerID) ?? models[0]
        }),
      },
    }

    return Service.of(result)
  }),
)

export const node = makeLocationNode({ service: Service, layer, deps: [EventV2.node, Integration.node] })
