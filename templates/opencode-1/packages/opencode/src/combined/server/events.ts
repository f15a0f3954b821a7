/** What clients of the server's events are told in addition to upstream's own events. */
import { EventV2 } from "@opencode-ai/core/event"
import { Schema } from "effect"
import { CombinedHappening } from "../view/happening"

/** What is known about a member has changed: `GET /combined` says what it is now. */
export const Health = EventV2.define({ type: "combined.health", schema: {} })

/** A session moves to another member, asks the same one again, or starts without the first one. */
export const Switched = EventV2.define({
  type: "combined.switched",
  schema: {
    sessionID: Schema.String,
    action: Schema.Literals(CombinedHappening.ACTIONS),
    combined: Schema.String,
    from: Schema.String,
    to: Schema.String,
    reason: Schema.String,
    message: Schema.String,
    at: Schema.Number,
  },
})

export * as CombinedEvents from "./events"
