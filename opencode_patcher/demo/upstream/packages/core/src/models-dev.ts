/** The catalogue of providers and models that the build put into the program. */
import { Context, Effect, Layer } from "effect"

declare const OPENCODE_MODELS_DEV: Record<string, Provider>

export type Model = {
  readonly id: string
  readonly name: string
  readonly tool_call?: boolean
  readonly reasoning?: boolean
  readonly release_date?: string
  readonly limit?: { readonly context: number; readonly output: number }
  readonly cost?: { readonly input: number; readonly output: number }
}

export type Provider = {
  readonly id: string
  readonly name: string
  readonly env: readonly string[]
  readonly npm?: string
  readonly api?: string
  readonly models: Record<string, Model>
}

export interface Interface {
  readonly get: () => Effect.Effect<Record<string, Provider>>
}

export class Service extends Context.Service<Service, Interface>()("@small/ModelsDev") {}

export const layer = Layer.succeed(
  Service,
  Service.of({ get: () => Effect.succeed(typeof OPENCODE_MODELS_DEV === "object" ? OPENCODE_MODELS_DEV : {}) }),
)

export * as ModelsDev from "./models-dev"
