export * as EventV2 from "./event"

import type { Event } from "@opencode-ai/schema/event"
import { Context, Effect, Layer } from "effect"
import { makeGlobalNode } from "./effect/app-node"
import { Identifier } from "./id"

export type Payload = Event.Payload

type Listener = (event: Payload) => void

export interface Interface {
  readonly publish: <Type extends string, Data>(
    definition: Event.Definition<Type, Data>,
    data: Data,
  ) => Effect.Effect<Event.Payload<Type, Data>>
  /** Calls the listener for each event, until the function that is returned is called. */
  readonly listen: (listener: Listener) => Effect.Effect<() => void>
}

export class Service extends Context.Service<Service, Interface>()("@small/Event") {}

const layer = Layer.sync(Service, () => {
  const listeners = new Set<Listener>()
  return Service.of({
    publish: (definition, data) =>
      Effect.sync(() => {
        const event = { id: Identifier.ascending("evt"), type: definition.type, created: Date.now(), data }
        for (const listener of listeners) listener(event)
        return event
      }),
    listen: (listener) =>
      Effect.sync(() => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      }),
  })
})

export const node = makeGlobalNode({ service: Service, layer })
