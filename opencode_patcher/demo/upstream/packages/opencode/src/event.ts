/** What happens in this process, for whoever shows it. */
import { EventEmitter, on } from "events"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import type { SessionStatus } from "./session/status"

type Payload<Type extends string, Properties> = { type: Type; properties: { sessionID: string } & Properties }

export type Event =
  | Payload<"message.updated", { info: SessionV1.Info }>
  | Payload<"message.removed", { messageID: string }>
  | Payload<"message.part.updated", { part: SessionV1.Part }>
  | Payload<"message.part.removed", { partID: string }>
  | Payload<"session.error", { error: SessionV1.ErrorInfo }>
  | Payload<"session.status", { status: SessionStatus.Info }>

const emitter = new EventEmitter()

export const publish = (event: Event) => Effect.sync(() => emitter.emit("event", structuredClone(event)))

/** Calls a handler for each event of a type. */
export function listen(type: string, handler: (event: Event) => void) {
  emitter.on("event", (event: Event) => (event.type === type ? handler(event) : undefined))
}

/** All events from now on. */
export function subscribe(): AsyncIterable<Event> {
  const source = on(emitter, "event")
  return {
    async *[Symbol.asyncIterator]() {
      for await (const [event] of source) yield event
    },
  }
}

export * as Bus from "./event"
