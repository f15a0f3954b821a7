/** Questions to the user, which every client shows. */
export * as Form from "./form"

import { Event } from "@opencode-ai/schema/event"
import { Context, Deferred, Effect, Layer } from "effect"
import { makeGlobalNode } from "./effect/app-node"
import { EventV2 } from "./event"
import { Identifier } from "./id"

type Answer = Readonly<Record<string, unknown>>

export type CreateInput = {
  readonly sessionID: string
  readonly title?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly fields: readonly { readonly key: string; readonly type: "boolean"; readonly title?: string }[]
}

export type Info = CreateInput & { readonly id: string }

export type TerminalState = { readonly status: "answered"; readonly answer: Answer } | { readonly status: "cancelled" }

export const Created = Event.define<{ readonly form: Info }>()("form.created")

export interface Interface {
  /** Waits for the answer. */
  readonly ask: (input: CreateInput) => Effect.Effect<TerminalState>
  readonly list: () => Effect.Effect<Info[]>
  /** Whether it had not been answered. */
  readonly settle: (id: string, state: TerminalState) => Effect.Effect<boolean>
}

export class Service extends Context.Service<Service, Interface>()("@small/Form") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const events = yield* EventV2.Service
    const open = new Map<string, { readonly form: Info; readonly answer: Deferred.Deferred<TerminalState> }>()
    return Service.of({
      ask: Effect.fnUntraced(function* (input) {
        const form = { ...input, id: Identifier.ascending("frm") }
        const answer = yield* Deferred.make<TerminalState>()
        open.set(form.id, { form, answer })
        yield* events.publish(Created, { form })
        return yield* Deferred.await(answer).pipe(Effect.ensuring(Effect.sync(() => open.delete(form.id))))
      }),
      list: () => Effect.sync(() => [...open.values()].map(({ form }) => form)),
      settle: (id, state) =>
        Effect.suspend(() => {
          const found = open.get(id)
          return found ? Deferred.succeed(found.answer, state) : Effect.succeed(false)
        }),
    })
  }),
).pipe(Layer.provide(EventV2.node))

export const node = makeGlobalNode({ service: Service, layer })
