/** The sessions of a project, as the server and the command line use them. */
export * as SessionV2 from "./session"

import type { LLMError } from "@opencode-ai/ai"
import { Context, Effect, Layer } from "effect"
import { AgentV2 } from "./agent"
import { Database } from "./database/database"
import { makeLocationNode } from "./effect/app-node"
import { EventV2 } from "./event"
import { Location } from "./location"
import type { ModelV2 } from "./model"
import { SessionCompaction } from "./session/compaction"
import { SessionContext } from "./session/context"
import { SessionEvent } from "./session/event"
import { SessionExecution } from "./session/execution"
import { SessionGenerate } from "./session/generate"
import { SessionGenerateNode } from "./session/generate-node"
import { SessionPending } from "./session/pending"
import { SessionProjector } from "./session/projector"
import type { SessionRunnerModel } from "./session/runner/model"
import { SessionSchema } from "./session/schema"
import { SessionStore } from "./session/store"

export interface Interface {
  readonly create: (input: {
    readonly model?: ModelV2.Ref
    readonly agent?: AgentV2.ID
  }) => Effect.Effect<SessionSchema.Info>
  readonly prompt: (sessionID: SessionSchema.ID, text: string) => Effect.Effect<{ readonly id: string }>
  readonly interrupt: (sessionID: SessionSchema.ID) => Effect.Effect<void>
  readonly compact: (sessionID: SessionSchema.ID) => Effect.Effect<SessionCompaction.Result, SessionRunnerModel.Error>
  readonly generate: (
    sessionID: SessionSchema.ID,
    prompt: string,
  ) => Effect.Effect<string, LLMError | SessionRunnerModel.Error>
}

export class Service extends Context.Service<Service, Interface>()("@small/Session") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { db } = yield* Database.Service
    const { directory } = yield* Location.Service
    const events = yield* EventV2.Service
    const execution = yield* SessionExecution.Service
    const compaction = yield* SessionCompaction.Service
    const context = yield* SessionContext.Service
    const generation = yield* SessionGenerate.Service
    yield* SessionProjector.Service

    return Service.of({
      create: Effect.fnUntraced(function* ({ model, agent }) {
        const id = SessionSchema.ID.create()
        const info = { id, title: "", agent, model, location: { directory }, time: { created: Date.now() } }
        yield* events.publish(SessionEvent.Created, { sessionID: id, info })
        return info
      }),
      prompt: Effect.fnUntraced(function* (sessionID, text) {
        const input = yield* SessionPending.admit(db, sessionID, text)
        yield* execution.wake(sessionID)
        return { id: input.id }
      }),
      interrupt: execution.interrupt,
      compact: Effect.fnUntraced(function* (sessionID) {
        const { session, messages, model } = yield* context.load(yield* context.select(sessionID))
        return yield* compaction.compact({ session, messages, model: model.model, cost: model.cost })
      }),
      generate: (sessionID, prompt) => generation.generate({ sessionID, prompt }),
    })
  }),
)

export const node = makeLocationNode({
  service: Service,
  layer,
  deps: [
    Database.node,
    EventV2.node,
    SessionCompaction.node,
    SessionContext.node,
    SessionExecution.node,
    SessionGenerateNode.node,
    SessionProjector.node,
    SessionStore.node,
  ],
})
