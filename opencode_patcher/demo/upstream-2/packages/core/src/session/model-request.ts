export * as SessionModelRequest from "./model-request"

import { LLM, SystemPart, type LLMRequest } from "@opencode-ai/ai"
import { Context, Effect, Layer } from "effect"
import { makeLocationNode } from "../effect/app-node"
import { ToolRegistry } from "../tool"
import type { SessionContext } from "./context"
import { toLLMMessages } from "./runner/to-llm-message"

type Settle = ToolRegistry.Interface["settle"]

type Prepared = {
  readonly request: LLMRequest
  readonly settle: (call: Parameters<Settle>[1]) => ReturnType<Settle>
}

export interface Interface {
  /** The request for a step. */
  readonly prepare: (input: { readonly context: SessionContext.Loaded }) => Effect.Effect<Prepared>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionModelRequest") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const tools = yield* ToolRegistry.Service

    const prepare = Effect.fn("SessionModelRequest.prepare")(function* (input: {
      readonly context: SessionContext.Loaded
    }) {
      const { agent, model: resolved } = input.context
      const { model } = resolved
      const providerMetadataKey = model.route.providerMetadataKey ?? model.provider
      const history = toLLMMessages(input.context.messages, resolved.ref, providerMetadataKey)
      return {
        request: LLM.request({
          model,
          system: [SystemPart.make(agent.system)],
          messages: history,
          tools: agent.tools ? tools.definitions : [],
        }),
        settle: (call: Parameters<Settle>[1]) => tools.settle(agent, call),
      }
    })

    return Service.of({ prepare })
  }),
)

export const node = makeLocationNode({ service: Service, layer, deps: [ToolRegistry.node] })
