export * as SessionStore from "./store"

import { Context, Effect, Layer } from "effect"
import { Database } from "../database/database"
import { makeGlobalNode } from "../effect/app-node"
import type { SessionMessage } from "./message"
import type { SessionSchema } from "./schema"

export interface Interface {
  readonly list: () => Effect.Effect<SessionSchema.Info[]>
  readonly get: (sessionID: SessionSchema.ID) => Effect.Effect<SessionSchema.Info | undefined>
  /** Sessions whose turn the next process resumes. */
  readonly listSuspended: () => Effect.Effect<SessionSchema.ID[]>
  readonly suspend: (sessionIDs: readonly SessionSchema.ID[]) => Effect.Effect<void>
  /** Whether it was suspended; it no longer is. */
  readonly consumeSuspended: (sessionID: SessionSchema.ID) => Effect.Effect<boolean>
  readonly context: (sessionID: SessionSchema.ID) => Effect.Effect<SessionMessage.Info[]>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionStore") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { db } = yield* Database.Service
    return Service.of({
      list: () => Effect.sync(() => db.list("session", "")),
      get: (sessionID) => Effect.sync(() => db.get("session", sessionID)),
      listSuspended: () => Effect.sync(() => db.list<{ readonly id: string }>("suspended", "").map(({ id }) => id)),
      suspend: (ids) =>
        Effect.sync(() => {
          for (const id of ids) db.put("suspended", { id }, "")
        }),
      consumeSuspended: (id) =>
        Effect.sync(() => {
          const found = db.get("suspended", id) !== undefined
          db.remove("suspended", id)
          return found
        }),
      context: (sessionID) => Effect.sync(() => db.list("message", sessionID)),
    })
  }),
).pipe(Layer.provide(Database.node))

export const node = makeGlobalNode({ service: Service, layer })
