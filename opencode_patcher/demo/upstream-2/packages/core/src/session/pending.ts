/** What the user has said and no step has taken up yet. */
export * as SessionPending from "./pending"

import { Effect } from "effect"
import type { Database } from "../database/database"
import type { EventV2 } from "../event"
import { SessionEvent } from "./event"
import { SessionMessage } from "./message"
import type { SessionSchema } from "./schema"

type Store = Database.Interface["db"]
type Input = { readonly id: SessionMessage.ID; readonly text: string }

/** When an input is taken up: with the next step. */
export type Delivery = "steer"

export const admit = (db: Store, sessionID: SessionSchema.ID, text: string) =>
  Effect.sync(() => {
    const input: Input = { id: SessionMessage.ID.create(), text }
    db.put("pending", input, sessionID)
    return input
  })

export const has = (db: Store, sessionID: SessionSchema.ID) =>
  Effect.sync(() => db.list<Input>("pending", sessionID).length > 0)

/** Writes them to the session. Returns how many there were. */
export const promoteSteers = Effect.fnUntraced(function* (
  db: Store,
  events: EventV2.Interface,
  sessionID: SessionSchema.ID,
) {
  const found = db.list<Input>("pending", sessionID)
  for (const { id, text } of found) {
    db.remove("pending", id)
    yield* events.publish(SessionEvent.InputPromoted, { sessionID, messageID: id, text })
  }
  return found.length
})
