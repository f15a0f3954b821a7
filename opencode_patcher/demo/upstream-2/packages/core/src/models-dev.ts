/** The catalogue of providers and models that the build put into the program, or another one. */
export * as ModelsDev from "./models-dev"

import fs from "fs"
import { Context, Effect, Layer } from "effect"
import { makeGlobalNode } from "./effect/app-node"
import { ModelV2 } from "./model"
import { ProviderV2 } from "./provider"

declare const OPENCODE_MODELS_DEV: Record<string, Provider>

type Model = {
  readonly id: string
  readonly name?: string
  readonly release_date?: string
  readonly limit?: { readonly context: number; readonly output: number }
  readonly cost?: { readonly input: number; readonly output: number }
}

type Provider = {
  readonly id: string
  readonly name: string
  readonly env: readonly string[]
  readonly npm?: string
  readonly api?: string
  readonly models: Record<string, Model>
}

/** A provider of the catalogue, and the variables that may have its key. */
export type Snapshot = {
  readonly info: ProviderV2.Info
  readonly models: readonly ModelV2.Info[]
  readonly environment: readonly string[]
}

export interface Interface {
  readonly get: () => Effect.Effect<readonly Snapshot[]>
}

export class Service extends Context.Service<Service, Interface>()("@small/ModelsDev") {}

function read(): Record<string, Provider> {
  const file = process.env.OPENCODE_MODELS_PATH
  if (file) return JSON.parse(fs.readFileSync(file, "utf8"))
  return typeof OPENCODE_MODELS_DEV === "object" ? OPENCODE_MODELS_DEV : {}
}

const snapshot = ({ id, name, npm, api, env, models }: Provider): Snapshot => ({
  info: {
    id,
    name,
    package: npm ? ProviderV2.aisdk(npm) : "",
    ...(api !== undefined && { settings: { baseURL: api } }),
  },
  models: Object.values(models).map((model) => ({
    ...ModelV2.Info.empty(id, model.id),
    name: model.name ?? model.id,
    time: { released: model.release_date ? Date.parse(model.release_date) : 0 },
    cost: ModelV2.priced(model.cost),
    ...(model.limit && { limit: model.limit }),
  })),
  environment: env,
})

const layer = Layer.sync(Service, () => {
  const all = Object.values(read()).map(snapshot)
  return Service.of({ get: () => Effect.succeed(all) })
})

export const node = makeGlobalNode({ service: Service, layer })
