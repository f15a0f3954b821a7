export * as Integration from "./integration"

import { Context, Data, Effect, Layer } from "effect"
import { Credential } from "./credential"
import { makeLocationNode } from "./effect/app-node"

export type ID = string

export const ID = { make: (id: string): ID => id }

export class AuthorizationError extends Data.TaggedError("Integration.AuthorizationError")<{
  readonly message: string
}> {}

/** Where a key comes from. */
export type Connection =
  | { readonly type: "credential"; readonly id: Credential.ID }
  | { readonly type: "env"; readonly name: string }

export interface Interface {
  /** Says which variables may have the key of a provider. */
  readonly transform: (change: (names: Map<ID, readonly string[]>) => void) => Effect.Effect<void>
  readonly connection: {
    readonly active: (id: ID) => Effect.Effect<Connection | undefined>
    readonly resolve: (connection: Connection) => Effect.Effect<Credential.Value | undefined, AuthorizationError>
  }
}

export class Service extends Context.Service<Service, Interface>()("@small/Integration") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const credentials = yield* Credential.Service
    const names = new Map<ID, readonly string[]>()

    const active = Effect.fnUntraced(function* (id: ID) {
      const stored = (yield* credentials.list(id)).at(-1)
      if (stored) return { type: "credential" as const, id: stored.id }
      const name = names.get(id)?.find((name) => process.env[name])
      return name === undefined ? undefined : { type: "env" as const, name }
    })

    const resolve = Effect.fnUntraced(function* (connection: Connection) {
      if (connection.type === "credential") return (yield* credentials.get(connection.id))?.value
      const key = process.env[connection.name]
      if (!key) return yield* new AuthorizationError({ message: `${connection.name} is not set` })
      return { type: "key" as const, key }
    })

    return Service.of({ transform: (change) => Effect.sync(() => change(names)), connection: { active, resolve } })
  }),
)

export const node = makeLocationNode({ service: Service, layer, deps: [Credential.node] })
