/** OpenAI's chat completions. A call is whole once the answer is. */
import { makeFromTransport, type Protocol } from "../route/client"
import { httpJson } from "../route/transport/http"
import { LLMEvent, Usage, type FinishReason } from "../schema/events"
import type { LLMRequest, Message } from "../schema/messages"

type Delta = {
  readonly content?: string | null
  readonly reasoning_content?: string | null
  readonly tool_calls?: readonly {
    readonly index: number
    readonly id?: string
    readonly function?: { readonly name?: string; readonly arguments?: string }
  }[]
}

type Event = {
  readonly error?: { readonly message?: string }
  readonly choices?: readonly { readonly delta?: Delta; readonly finish_reason?: string | null }[]
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number }
}

type Call = { readonly id: string; readonly name: string; readonly input: string }
type State = { readonly open?: "text" | "reasoning"; readonly calls: Readonly<Record<number, Call>> }

const REASONS: Record<string, FinishReason> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  content_filter: "content-filter",
}

const body = (request: LLMRequest) => ({
  model: request.model.id,
  stream: true,
  stream_options: { include_usage: true },
  ...(request.generation?.temperature !== undefined && { temperature: request.generation.temperature }),
  ...(request.generation?.topP !== undefined && { top_p: request.generation.topP }),
  messages: [
    ...request.system.map(({ text }) => ({ role: "system", content: text })),
    ...request.messages.flatMap(wire),
  ],
  ...(request.tools.length > 0 && {
    tools: request.tools.map(({ name, description, inputSchema }) => ({
      type: "function",
      function: { name, description, parameters: inputSchema },
    })),
  }),
})

function wire(message: Message): object[] {
  if (message.role === "tool")
    return message.content.map(({ id, text }) => ({ role: "tool", tool_call_id: id, content: text }))
  const content = message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("")
  if (message.role === "user") return [{ role: "user", content }]
  const thoughts = message.content.flatMap((part) => (part.type === "reasoning" ? [part.text] : [])).join("")
  const calls = message.content.flatMap((part) =>
    part.type === "tool-call"
      ? [{ id: part.id, type: "function", function: { name: part.name, arguments: JSON.stringify(part.input) } }]
      : [],
  )
  const said = { ...(thoughts && { reasoning_content: thoughts }), ...(calls.length > 0 && { tool_calls: calls }) }
  return content || calls.length ? [{ role: "assistant", content, ...said }] : []
}

function step(before: State, event: Event): readonly [State, readonly LLMEvent[]] {
  if (event.error) return [before, [LLMEvent.providerError({ message: event.error.message ?? "Unknown error" })]]
  const events: LLMEvent[] = []
  let { open } = before
  const calls: Record<number, Call> = { ...before.calls }

  const turnTo = (next: typeof open) => {
    if (open === next) return
    if (open) events.push(open === "text" ? LLMEvent.textEnd({ id: open }) : LLMEvent.reasoningEnd({ id: open }))
    open = next
    if (open) events.push(open === "text" ? LLMEvent.textStart({ id: open }) : LLMEvent.reasoningStart({ id: open }))
  }

  const choice = event.choices?.[0]
  const { reasoning_content: thought, content, tool_calls: parts = [] } = choice?.delta ?? {}
  if (thought) {
    turnTo("reasoning")
    events.push(LLMEvent.reasoningDelta({ id: "reasoning", text: thought }))
  }
  if (content) {
    turnTo("text")
    events.push(LLMEvent.textDelta({ id: "text", text: content }))
  }
  for (const part of parts) {
    turnTo(undefined)
    const known = calls[part.index]
    const call = known ?? { id: part.id ?? "", name: part.function?.name ?? "", input: "" }
    const text = part.function?.arguments ?? ""
    if (!known) events.push(LLMEvent.toolInputStart({ id: call.id, name: call.name }))
    if (text) events.push(LLMEvent.toolInputDelta({ id: call.id, name: call.name, text }))
    calls[part.index] = { ...call, input: call.input + text }
  }
  if (choice?.finish_reason) {
    turnTo(undefined)
    for (const { id, name, input } of Object.values(calls)) events.push(called(id, name, input))
    const { prompt_tokens: prompt = 0, completion_tokens: outputTokens = 0 } = event.usage ?? {}
    const usage = new Usage({ inputTokens: prompt, nonCachedInputTokens: prompt, outputTokens })
    const reason = REASONS[choice.finish_reason] ?? "unknown"
    events.push(LLMEvent.stepFinish({ index: 0, reason, usage }), LLMEvent.finish({ reason }))
  }
  return [{ open, calls }, events]
}

/** A call whose input has come. */
export function called(id: string, name: string, raw: string): LLMEvent {
  try {
    return LLMEvent.toolCall({ id, name, input: JSON.parse(raw || "{}") })
  } catch {
    return LLMEvent.toolInputError({ id, name, raw })
  }
}

const protocol: Protocol<Event, State> = {
  path: "/chat/completions",
  body,
  initial: () => ({ calls: {} }),
  step,
  isLast: (event) => event.error !== undefined || Boolean(event.choices?.[0]?.finish_reason),
}

export const route = makeFromTransport({ id: "openai-compatible-chat", protocol, transport: httpJson() })
