/** Stores what the events say. */
export * as SessionProjector from "./projector"

import { Context, Effect, Layer } from "effect"
import { Database } from "../database/database"
import { makeGlobalNode } from "../effect/app-node"
import { EventV2 } from "../event"
import { SessionEvent } from "./event"
import type { SessionMessage } from "./message"
import { SessionMessageUpdater } from "./message-updater"
import type { SessionSchema } from "./schema"

export class Service extends Context.Service<Service, object>()("@small/SessionProjector") {}

const has = <Type extends keyof SessionEvent.Data>(
  event: { readonly type: string },
  type: Type,
): event is SessionEvent.Of<Type> => event.type === type

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { db } = yield* Database.Service
    const events = yield* EventV2.Service

    const change = (id: SessionSchema.ID, changes: (info: SessionSchema.Info) => Partial<SessionSchema.Info>) => {
      const info = db.get<SessionSchema.Info>("session", id)
      if (info) db.put("session", { ...info, ...changes(info) }, "")
    }

    yield* events.listen((event) => {
      if (has(event, "session.created")) return db.put("session", event.data.info, "")
      if (has(event, "session.renamed")) return change(event.data.sessionID, () => ({ title: event.data.title }))
      if (has(event, "session.usage.recorded")) {
        const { sessionID, cost, tokens } = event.data
        return change(sessionID, ({ spent }) => ({ spent: { cost: cost + (spent?.cost ?? 0), tokens } }))
      }
      const { data } = event
      if (typeof data !== "object" || data === null || !("sessionID" in data)) return
      const session = String(data.sessionID)
      const put = (message: SessionMessage.Info) => db.put("message", message, session)
      SessionMessageUpdater.make({ get: (id) => db.get("message", id), put }).update(event)
    })
    return Service.of({})
  }),
).pipe(Layer.provide([Database.node, EventV2.node]))

export const node = makeGlobalNode({ service: Service, layer })
