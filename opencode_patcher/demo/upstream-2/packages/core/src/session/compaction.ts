export * as SessionCompaction from "./compaction"

import { LLM, LLMClient, LLMEvent, Message, type Model } from "@opencode-ai/ai"
import type { SessionError } from "@opencode-ai/schema/session-error"
import { Context, Effect, Layer, Stream } from "effect"
import { makeLocationNode } from "../effect/app-node"
import { llmClient } from "../effect/app-node-platform"
import { EventV2 } from "../event"
import type { ModelV2 } from "../model"
import { SessionEvent } from "./event"
import { SessionMessage } from "./message"
import type { SessionSchema } from "./schema"
import { toSessionError } from "./to-session-error"
import { SessionUsage } from "./usage"

/** What is summarised, and who is asked for it. */
export type Plan = {
  readonly session: SessionSchema.Info
  readonly messages: readonly SessionMessage.Info[]
  readonly model: Model
  readonly cost: ModelV2.Info["cost"]
}

export type Result =
  | { readonly status: "completed" }
  | { readonly status: "failed"; readonly error: SessionError.Error }

export interface Interface {
  /** Replaces what was said by a summary. */
  readonly compact: (plan: Plan) => Effect.Effect<Result>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionCompaction") {}

const TASK = "Write an anchored summary of this conversation, with all that is needed to go on with it:\n\n"

const textOf = (message: SessionMessage.Info) => {
  if (message.type === "user") return `User: ${message.text}`
  if (message.type === "compaction") return message.summary
  return `Assistant: ${message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")}`
}

type Dependencies = { readonly events: EventV2.Interface; readonly llm: LLMClient.Interface }

const make = (dependencies: Dependencies) => {
  const { publish } = dependencies.events

  const execute = Effect.fn("SessionCompaction.execute")(function* (plan: Plan) {
    const sessionID = plan.session.id
    const messageID = SessionMessage.ID.create()
    yield* publish(SessionEvent.Compaction.Started, { sessionID, messageID })
    const chunks: string[] = []
    let failure: SessionError.Error | undefined
    let used: SessionUsage.Recorded | undefined
    yield* dependencies.llm
      .stream(
        LLM.request({
          model: plan.model,
          system: [],
          messages: [Message.user(TASK + plan.messages.map(textOf).join("\n\n"))],
          tools: [],
        }),
      )
      .pipe(
        Stream.runForEach((event) => {
          if (LLMEvent.is.providerError(event)) failure = { type: "provider.error", message: event.message }
          if (LLMEvent.is.stepFinish(event)) {
            const step = SessionUsage.record(event.usage, plan.cost)
            used = step
          }
          if (!LLMEvent.is.textDelta(event)) return Effect.void
          chunks.push(event.text)
          return publish(SessionEvent.Compaction.Delta, { sessionID, text: event.text })
        }),
        Effect.catch((error) => Effect.sync(() => (failure = toSessionError(error)))),
      )
    if (used) yield* publish(SessionEvent.UsageRecorded, { sessionID, source: "compaction", ...used })
    const error = failure ?? (chunks.length ? undefined : { type: "unknown", message: "The summary is empty" })
    if (error) {
      yield* publish(SessionEvent.Compaction.Failed, { sessionID, messageID, error })
      return { status: "failed" as const, error }
    }
    yield* publish(SessionEvent.Compaction.Ended, { sessionID, messageID, text: chunks.join("") })
    return { status: "completed" as const }
  })

  return Service.of({ compact: execute })
}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    return make({ events: yield* EventV2.Service, llm: yield* LLMClient.Service })
  }),
)

export const node = makeLocationNode({ service: Service, layer, deps: [EventV2.node, llmClient] })
