export * as SessionExecution from "./execution"

import { Cause, Context, Effect, Exit, Fiber, Layer } from "effect"
import { Database } from "../database/database"
import { makeLocationNode } from "../effect/app-node"
import { EventV2 } from "../event"
import { SessionEvent } from "./event"
import { SessionPending } from "./pending"
import { SessionRunner } from "./runner/index"
import { SessionRunnerLLM } from "./runner/llm"
import type { SessionSchema } from "./schema"
import { toSessionError } from "./to-session-error"

export interface Interface {
  /** Answers what was said in a session, if that does not happen already. */
  readonly wake: (sessionID: SessionSchema.ID) => Effect.Effect<void>
  /** Goes on with a turn, also if nothing new was said. */
  readonly resume: (sessionID: SessionSchema.ID) => Effect.Effect<void>
  readonly interrupt: (sessionID: SessionSchema.ID) => Effect.Effect<void>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionExecution") {}

type Reason = "user" | "shutdown"

/** The sessions of all projects that are being answered, and why that ends before its time. */
const running = new Map<SessionSchema.ID, { readonly fiber: Fiber.Fiber<void>; reason: Reason }>()

export const active = () => [...running.keys()]

function terminal(exit: Exit.Exit<void, unknown>, reason: Reason) {
  if (exit._tag === "Success") return { type: "succeeded" } as const
  if (Cause.hasInterrupts(exit.cause)) return { type: "interrupted", reason } as const
  return { type: "failed", error: toSessionError(Cause.squash(exit.cause)) } as const
}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { db } = yield* Database.Service
    const events = yield* EventV2.Service
    const runner = yield* SessionRunner.Service

    const lifecycle = {
      settled: (sessionID: SessionSchema.ID, exit: Exit.Exit<void, unknown>, reason: Reason) =>
        Effect.ensuring(
          Effect.gen(function* () {
            const outcome = terminal(exit, reason)
            if (outcome.type === "succeeded") yield* events.publish(SessionEvent.Execution.Succeeded, { sessionID })
            else if (outcome.type === "interrupted")
              yield* events.publish(SessionEvent.Execution.Interrupted, { sessionID })
            else yield* events.publish(SessionEvent.Execution.Failed, { sessionID, error: outcome.error })
          }),
          Effect.sync(() => running.delete(sessionID)),
        ),
    }

    const start: (sessionID: SessionSchema.ID, force: boolean) => Effect.Effect<void> = Effect.fnUntraced(
      function* (sessionID, force) {
        if (running.has(sessionID) || !(force || (yield* SessionPending.has(db, sessionID)))) return
        const fiber = yield* events.publish(SessionEvent.Execution.Started, { sessionID }).pipe(
          Effect.andThen(runner.drain({ sessionID, force })),
          Effect.onExit((exit) => lifecycle.settled(sessionID, exit, running.get(sessionID)?.reason ?? "shutdown")),
          Effect.exit,
          // What was said at the very end has not been seen.
          Effect.andThen(Effect.suspend(() => start(sessionID, false))),
          Effect.forkDetach,
        )
        running.set(sessionID, { fiber, reason: "shutdown" })
      },
    )

    return Service.of({
      wake: (sessionID) => start(sessionID, false),
      resume: (sessionID) => start(sessionID, true),
      interrupt: Effect.fnUntraced(function* (sessionID) {
        const found = running.get(sessionID)
        if (!found) return
        found.reason = "user"
        yield* Fiber.interrupt(found.fiber)
      }),
    })
  }),
)

export const node = makeLocationNode({
  service: Service,
  layer,
  deps: [Database.node, EventV2.node, SessionRunnerLLM.node],
})
