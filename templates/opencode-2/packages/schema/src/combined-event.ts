/** What the server's events tell clients about the members of combined models. */
export * as CombinedEvent from "./combined-event.js"

import { Schema } from "effect"
import { Event } from "./event.js"

/** What is known about a member has changed: `GET /combined` says what it is now. */
export const Health = Event.ephemeral({ type: "combined.health", schema: {} })

/** A session moves to another member, asks the same one again, or starts without the first one. */
export const Switched = Event.ephemeral({
  type: "combined.switched",
  schema: {
    sessionID: Schema.String,
    action: Schema.Literals(["moved", "repeated", "left out"]),
    combined: Schema.String,
    from: Schema.String,
    to: Schema.String,
    reason: Schema.String,
    message: Schema.String,
    at: Schema.Number,
  },
})

export const Definitions = [Health, Switched] as const
