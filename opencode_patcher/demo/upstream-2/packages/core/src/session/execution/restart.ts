export * as SessionRestart from "./restart"

import { Context, Effect, Layer } from "effect"
import { makeLocationNode } from "../../effect/app-node"
import { Location } from "../../location"
import { SessionExecution } from "../execution"
import { SessionStore } from "../store"

export interface Interface {
  /** Goes on with the turns of this project that were suspended when the last server ended. */
  readonly resumeSuspendedSessions: Effect.Effect<void>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionRestart") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { directory } = yield* Location.Service
    const execution = yield* SessionExecution.Service
    const store = yield* SessionStore.Service
    return Service.of({
      resumeSuspendedSessions: Effect.gen(function* () {
        const sessions = yield* store.listSuspended()
        for (const id of sessions) {
          const session = yield* store.get(id)
          if (session?.location.directory !== directory) continue
          if (yield* store.consumeSuspended(id)) yield* execution.resume(id)
        }
      }),
    })
  }),
)

export const node = makeLocationNode({ service: Service, layer, deps: [SessionExecution.node, SessionStore.node] })
