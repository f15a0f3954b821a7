export * as SessionHistory from "./history"

import { Effect } from "effect"
import type { Database } from "../database/database"
import type { SessionMessage } from "./message"
import type { SessionSchema } from "./schema"

type Store = Database.Interface["db"]

/** What a model is told of a session: all since its last summary. */
export const entriesForRunner = (db: Store, sessionID: SessionSchema.ID) =>
  Effect.sync(() => {
    const messages = db.list<SessionMessage.Info>("message", sessionID)
    const last = messages.findLastIndex((message) => message.type === "compaction" && message.status === "completed")
    return messages.slice(Math.max(last, 0)).filter((message) => message.type !== "compaction" || message.summary)
  })

/** The user's first message, if it is the only one. */
export const firstUserMessageIfOnly = (db: Store, sessionID: SessionSchema.ID) =>
  Effect.sync(() => {
    const messages = db.list<SessionMessage.Info>("message", sessionID).filter((message) => message.type === "user")
    return messages.length === 1 ? messages[0] : undefined
  })
