/** Sends a shared session to a page. Nothing here starts it: there is no service to send it to. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Context, Effect, Layer } from "effect"
import { Bus } from "@/event"

type Data = { type: "part"; data: object } | { type: "session_diff"; data: object[] }

type Removed = { sessionID: string; messageID: string; partID: string }

export interface Interface {
  /** What a page has to be sent. */
  readonly queue: Map<string, Data[]>
  readonly follow: (event: Bus.Event) => Effect.Effect<void>
}

export class Service extends Context.Service<Service, Interface>()("@small/ShareNext") {}

const MessageV2 = { Event: { PartUpdated: "message.part.updated", PartRemoved: "message.part.removed" } } as const

const Session = { Event: { Diff: "session.diff" } } as const

type Payloads = {
  [MessageV2.Event.PartUpdated]: { sessionID: string; part: SessionV1.Part }
  [MessageV2.Event.PartRemoved]: Removed
  [Session.Event.Diff]: { sessionID: string; diff: object[] }
}

export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const cache = new Map<string, Data[]>()
    const watchers: ((event: Bus.Event) => Effect.Effect<void>)[] = []

    const sync = (sessionID: string, data: Data[]) =>
      Effect.sync(() => void cache.set(sessionID, [...(cache.get(sessionID) ?? []), ...data]))

    const watch = <Type extends keyof Payloads>(type: Type, fn: (data: Payloads[Type]) => Effect.Effect<void>) =>
      Effect.sync(() => {
        watchers.push((event) => (event.type === type ? fn(event.properties as unknown as Payloads[Type]) : Effect.void))
      })

    const queue: Interface["queue"] = yield* Effect.flatMap(
      Effect.void,
      Effect.fn("ShareNext.state")(function* () {
        yield* watch(MessageV2.Event.PartUpdated, (data) => sync(data.sessionID, [{ type: "part", data: data.part }]))
        yield* watch(Session.Event.Diff, (data) =>
          sync(data.sessionID, [{ type: "session_diff", data: data.diff }]),
        )
        return cache
      }),
    )

    return Service.of({ queue, follow: (event) => Effect.forEach(watchers, (fn) => fn(event), { discard: true }) })
  }),
)

export * as ShareNext from "./share-next"
