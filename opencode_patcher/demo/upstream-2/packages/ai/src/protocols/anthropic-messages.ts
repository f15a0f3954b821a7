/** Anthropic's messages. A call is whole as soon as its block is, while the answer is still coming. */
import { makeFromTransport, type Protocol } from "../route/client"
import { httpJson } from "../route/transport/http"
import { LLMEvent, Usage, type FinishReason } from "../schema/events"
import type { LLMRequest, Message } from "../schema/messages"
import { called } from "./openai-compatible-chat"

type Tokens = { readonly input_tokens?: number; readonly output_tokens?: number }

type Event = {
  readonly type: string
  readonly index?: number
  readonly message?: { readonly usage?: Tokens }
  readonly content_block?: { readonly type: string; readonly id?: string; readonly name?: string }
  readonly delta?: {
    readonly text?: string
    readonly thinking?: string
    readonly signature?: string
    readonly partial_json?: string
    readonly stop_reason?: string
  }
  readonly usage?: Tokens
  readonly error?: { readonly message?: string }
}

type Block = { readonly type: string; readonly id: string; readonly name: string; readonly input: string }
type State = { readonly block?: Block; readonly tokens: Tokens; readonly reason: FinishReason }

const KEY = "anthropic"

const REASONS: Record<string, FinishReason> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  tool_use: "tool-calls",
  refusal: "content-filter",
}

const body = (request: LLMRequest) => ({
  model: request.model.id,
  stream: true,
  max_tokens: request.generation?.maxTokens ?? 8192,
  ...(request.generation?.temperature !== undefined && { temperature: request.generation.temperature }),
  ...(request.generation?.topP !== undefined && { top_p: request.generation.topP }),
  ...(request.system.length > 0 && { system: request.system }),
  messages: request.messages.map(wire).filter(({ content }) => content.length > 0),
  ...(request.tools.length > 0 && {
    tools: request.tools.map(({ name, description, inputSchema }) => ({
      name,
      description,
      input_schema: inputSchema,
    })),
  }),
  ...request.providerOptions?.[KEY],
})

function wire(message: Message): { role: string; content: object[] } {
  if (message.role === "tool")
    return {
      role: "user",
      content: message.content.map(({ id, text }) => ({ type: "tool_result", tool_use_id: id, content: text })),
    }
  if (message.role === "user") return { role: "user", content: [...message.content] }
  const content = message.content.flatMap((part): object[] => {
    if (part.type === "tool-call") return [{ type: "tool_use", id: part.id, name: part.name, input: part.input }]
    if (part.type === "text") return part.text.trim() ? [part] : []
    return part.signature ? [{ type: "thinking", thinking: part.text, signature: part.signature }] : []
  })
  return { role: "assistant", content }
}

function step(state: State, event: Event): readonly [State, readonly LLMEvent[]] {
  switch (event.type) {
    case "message_start":
      return [{ ...state, tokens: { ...event.message?.usage } }, [LLMEvent.stepStart({ index: 0 })]]
    case "content_block_start": {
      const { type = "", id = `${type}-${event.index}`, name = "" } = event.content_block ?? {}
      return [{ ...state, block: { type, id, name, input: "" } }, start(type, id, name)]
    }
    case "content_block_delta":
      return delta(state, event.delta ?? {})
    case "content_block_stop":
      return [{ ...state, block: undefined }, state.block ? stop(state.block) : []]
    case "message_delta":
      return [
        {
          ...state,
          tokens: { ...state.tokens, ...event.usage },
          reason: REASONS[event.delta?.stop_reason ?? ""] ?? "unknown",
        },
        [],
      ]
    case "message_stop": {
      const { input_tokens: inputTokens = 0, output_tokens: outputTokens = 0 } = state.tokens
      const usage = new Usage({ inputTokens, nonCachedInputTokens: inputTokens, outputTokens })
      const { reason } = state
      return [state, [LLMEvent.stepFinish({ index: 0, reason, usage }), LLMEvent.finish({ reason })]]
    }
    case "error":
      return [state, [LLMEvent.providerError({ message: event.error?.message ?? "Unknown error" })]]
  }
  return [state, []]
}

function start(type: string, id: string, name: string) {
  if (type === "text") return [LLMEvent.textStart({ id })]
  if (type === "thinking") return [LLMEvent.reasoningStart({ id })]
  return type === "tool_use" ? [LLMEvent.toolInputStart({ id, name })] : []
}

function delta(state: State, said: NonNullable<Event["delta"]>): readonly [State, readonly LLMEvent[]] {
  const { block } = state
  if (!block) return [state, []]
  const { id, name } = block
  if (said.text !== undefined) return [state, [LLMEvent.textDelta({ id, text: said.text })]]
  if (said.thinking !== undefined) return [state, [LLMEvent.reasoningDelta({ id, text: said.thinking })]]
  if (said.signature !== undefined) {
    const providerMetadata = { [KEY]: { signature: said.signature } }
    return [state, [LLMEvent.reasoningDelta({ id, text: "", providerMetadata })]]
  }
  const text = said.partial_json ?? ""
  return [{ ...state, block: { ...block, input: block.input + text } }, [LLMEvent.toolInputDelta({ id, name, text })]]
}

function stop({ type, id, name, input }: Block) {
  if (type === "text") return [LLMEvent.textEnd({ id })]
  if (type === "thinking") return [LLMEvent.reasoningEnd({ id })]
  return type === "tool_use" ? [LLMEvent.toolInputEnd({ id, name }), called(id, name, input)] : []
}

const protocol: Protocol<Event, State> = {
  path: "/messages",
  body,
  initial: () => ({ tokens: {}, reason: "unknown" }),
  step,
  isLast: ({ type }) => type === "message_stop" || type === "error",
}

export const route = makeFromTransport({
  id: "anthropic-messages",
  providerMetadataKey: KEY,
  protocol,
  transport: httpJson(),
})
