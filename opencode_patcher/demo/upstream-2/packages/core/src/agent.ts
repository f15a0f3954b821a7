export * as AgentV2 from "./agent"

import { Context, Effect, Layer } from "effect"
import { Config } from "./config"
import { makeLocationNode } from "./effect/app-node"

export type ID = string

export type Rule = { readonly action: string; readonly effect: "allow" | "deny" | "ask" }

export type Info = {
  readonly id: ID
  readonly system: string
  readonly tools: boolean
  /** The last one that fits counts. */
  readonly permissions: readonly Rule[]
}

const AGENTS: Record<string, Omit<Info, "permissions">> = {
  build: { id: "build", system: "You work on the project in the current directory.", tools: true },
  title: {
    id: "title",
    system: "You are a title generator. Answer with a title of at most eight words for the conversation.",
    tools: false,
  },
}

const EFFECTS: readonly unknown[] = ["allow", "deny", "ask"]

const isEffect = (value: unknown): value is Rule["effect"] => EFFECTS.includes(value)

export interface Interface {
  /** An agent by its id, or the usual one. */
  readonly resolve: (id?: ID) => Effect.Effect<Info | undefined>
}

export class Service extends Context.Service<Service, Interface>()("@small/Agent") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const config = yield* Config.Service
    return Service.of({
      resolve: Effect.fnUntraced(function* (id) {
        const found = AGENTS[id ?? "build"]
        const said = Object.entries(Config.latest(yield* config.entries(), "permission") ?? {})
        const permissions = said.flatMap(([action, effect]) => (isEffect(effect) ? [{ action, effect }] : []))
        return found && { ...found, permissions }
      }),
    })
  }),
)

export const node = makeLocationNode({ service: Service, layer, deps: [Config.node] })
