export * as SessionGenerateNode from "./generate-node"

import { LLM, LLMClient, Message, SystemPart } from "@opencode-ai/ai"
import { Effect, Layer } from "effect"
import { makeLocationNode } from "../effect/app-node"
import { llmClient } from "../effect/app-node-platform"
import { SessionContext } from "./context"
import { SessionGenerate } from "./generate"
import { toLLMMessages } from "./runner/to-llm-message"

const layer = Layer.effect(
  SessionGenerate.Service,
  Effect.gen(function* () {
    const context = yield* SessionContext.Service
    const llm = yield* LLMClient.Service

    return SessionGenerate.Service.of({
      generate: Effect.fn("SessionGenerate.generate")(function* (input) {
        const loaded = yield* context.load(yield* context.select(input.sessionID))
        const { model, ref } = loaded.model
        return (yield* llm.generate(
          LLM.request({
            model,
            system: [SystemPart.make(loaded.agent.system)],
            messages: [...toLLMMessages(loaded.messages, ref, model.provider), Message.user(input.prompt)],
            tools: [],
          }),
        )).text
      }),
    })
  }),
)

export const node = makeLocationNode({
  service: SessionGenerate.Service,
  layer,
  deps: [SessionContext.node, llmClient],
})
