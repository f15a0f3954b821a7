export * as SessionTitle from "./title"

import { LLM, LLMClient, LLMEvent, Message, SystemPart } from "@opencode-ai/ai"
import { Context, Effect, Layer, Stream } from "effect"
import { AgentV2 } from "../agent"
import { Database } from "../database/database"
import { makeLocationNode } from "../effect/app-node"
import { llmClient } from "../effect/app-node-platform"
import { EventV2 } from "../event"
import { SessionEvent } from "./event"
import { SessionHistory } from "./history"
import { SessionRunnerModel } from "./runner/model"
import type { SessionSchema } from "./schema"
import { SessionUsage } from "./usage"

export interface Interface {
  /** Names a session after the first thing that the user has said. */
  readonly generateForFirstPrompt: (session: SessionSchema.Info) => Effect.Effect<void>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionTitle") {}

type Dependencies = {
  readonly agents: AgentV2.Interface
  readonly events: EventV2.Interface
  readonly llm: LLMClient.Interface
  readonly models: SessionRunnerModel.Interface
  readonly db: Database.Interface["db"]
}

const make = (dependencies: Dependencies) => {
  const generateForFirstPrompt = Effect.fn("SessionTitle.generateForFirstPrompt")(function* (
    session: SessionSchema.Info,
  ) {
    const first = yield* SessionHistory.firstUserMessageIfOnly(dependencies.db, session.id)
    const agent = yield* dependencies.agents.resolve("title")
    const resolved = yield* dependencies.models.resolve(session).pipe(Effect.orElseSucceed(() => undefined))
    if (!first || !agent || !resolved) return
    const { publish } = dependencies.events
    const chunks: string[] = []
    let used: SessionUsage.Recorded | undefined
    const streamed = yield* dependencies.llm
      .stream(
        LLM.request({
          model: resolved.model,
          system: [SystemPart.make(agent.system)],
          messages: [Message.user(first.text)],
          tools: [],
        }),
      )
      .pipe(
        Stream.runForEach((event) => {
          if (LLMEvent.is.textDelta(event)) chunks.push(event.text)
          if (LLMEvent.is.stepFinish(event)) {
            const step = SessionUsage.record(event.usage, resolved.cost)
            used = step
          }
          return Effect.void
        }),
        Effect.as(true),
        Effect.orElseSucceed(() => false),
      )
    if (used) yield* publish(SessionEvent.UsageRecorded, { sessionID: session.id, source: "title", ...used })
    const title = chunks.join("").trim().split("\n")[0]
    if (streamed && title) yield* publish(SessionEvent.Renamed, { sessionID: session.id, title: title.slice(0, 100) })
  })
  return Service.of({ generateForFirstPrompt })
}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { db } = yield* Database.Service
    const agents = yield* AgentV2.Service
    const events = yield* EventV2.Service
    const llm = yield* LLMClient.Service
    const models = yield* SessionRunnerModel.Service
    return make({ agents, events, llm, models, db })
  }),
)

export const node = makeLocationNode({
  service: Service,
  layer,
  deps: [AgentV2.node, Database.node, EventV2.node, llmClient, SessionRunnerModel.node],
})
