/** A client of OpenAI's chat completions. Its errors look like those of the AI SDK. */
import { LLMEvent } from "@opencode-ai/llm"
import type { ModelMessage, Tool } from "ai"

export type Request = { system: string[]; messages: ModelMessage[]; tools: Record<string, Tool>; abort: AbortSignal }

export type Language = (request: Request) => AsyncGenerator<LLMEvent>

type Failure = { statusCode?: number; responseHeaders?: Record<string, string>; responseBody?: string; cause?: unknown }

export class APICallError extends Error {
  override readonly name = "AI_APICallError"
  readonly statusCode?: number
  readonly responseHeaders?: Record<string, string>
  readonly responseBody?: string
  readonly isRetryable: boolean

  constructor(message: string, failure: Failure) {
    super(message, { cause: failure.cause })
    this.statusCode = failure.statusCode
    this.responseHeaders = failure.responseHeaders
    this.responseBody = failure.responseBody
    const status = failure.statusCode
    this.isRetryable = status === undefined || [408, 409, 429].includes(status) || status >= 500
  }
}

type Delta = {
  content?: string | null
  reasoning_content?: string | null
  tool_calls?: { index: number; id?: string; function?: { name?: string; arguments?: string } }[]
}

type Chunk = {
  error?: { message?: string; type?: string; code?: string | null }
  choices?: { delta?: Delta; finish_reason?: string | null }[]
  usage?: { prompt_tokens?: number; completion_tokens?: number }
}

export function make(options: { url: string; model: string; key?: string }): Language {
  return async function* (request) {
    const response = await send(options, request)
    yield LLMEvent.stepStart({ index: 0 })
    yield* answer(chunks(response))
  }
}

async function send(options: { url: string; model: string; key?: string }, request: Request) {
  const response = await fetch(`${options.url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${options.key ?? ""}` },
    body: JSON.stringify({
      model: options.model,
      stream: true,
      messages: [...request.system.map((content) => ({ role: "system", content })), ...request.messages.flatMap(wire)],
      ...(Object.keys(request.tools).length ? { tools: Object.entries(request.tools).map(offer) } : {}),
    }),
    signal: request.abort,
  }).catch((cause) => {
    if (request.abort.aborted) throw cause
    throw new APICallError(`Cannot connect to API: ${cause.message}`, { cause })
  })
  if (response.ok) return response
  const responseBody = await response.text()
  throw new APICallError(message(responseBody) ?? response.statusText, {
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody,
  })
}

function message(body: string): string | undefined {
  try {
    return JSON.parse(body).error.message
  } catch {
    return undefined
  }
}

const offer = ([name, tool]: [string, Tool]) => ({
  type: "function",
  function: { name, description: tool.description, parameters: tool.inputSchema },
})

function wire(item: ModelMessage): object[] {
  if (item.role === "tool")
    return item.content.map((part) => ({ role: "tool", tool_call_id: part.toolCallId, content: part.output.value }))
  if (typeof item.content === "string") return [{ role: item.role, content: item.content }]
  const content = item.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("")
  const calls = item.content.flatMap((part) =>
    part.type === "tool-call"
      ? [
          {
            id: part.toolCallId,
            type: "function",
            function: { name: part.toolName, arguments: JSON.stringify(part.input) },
          },
        ]
      : [],
  )
  return [{ role: item.role, content, ...(calls.length ? { tool_calls: calls } : {}) }]
}

/** The JSON objects of a stream of server-sent events. */
async function* chunks(response: Response): AsyncGenerator<Chunk> {
  if (!response.body) return
  const decoder = new TextDecoder()
  let rest = ""
  for await (const bytes of response.body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice("data:".length).trim() : ""
      if (data && data !== "[DONE]") yield JSON.parse(data)
    }
  }
}

type Call = { id: string; name: string; arguments: string; sent: boolean }

/** As the AI SDK has it, a text is open until the stream ends, whatever comes after it. */
async function* answer(stream: AsyncIterable<Chunk>): AsyncGenerator<LLMEvent> {
  const calls = new Map<number, Call>()
  const open = { text: false, reasoning: false }
  let reason = "unknown"
  let usage: Chunk["usage"]

  function* endReasoning() {
    if (open.reasoning) yield LLMEvent.reasoningEnd({ id: "reasoning" })
    open.reasoning = false
  }

  for await (const chunk of stream) {
    if (chunk.error) throw chunk.error
    usage = chunk.usage ?? usage
    const choice = chunk.choices?.[0]
    reason = choice?.finish_reason?.replace("_", "-") ?? reason
    const delta = choice?.delta
    if (delta?.reasoning_content) {
      if (!open.reasoning) yield LLMEvent.reasoningStart({ id: "reasoning" })
      open.reasoning = true
      yield LLMEvent.reasoningDelta({ id: "reasoning", text: delta.reasoning_content })
    }
    if (delta?.content) {
      yield* endReasoning()
      if (!open.text) yield LLMEvent.textStart({ id: "text" })
      open.text = true
      yield LLMEvent.textDelta({ id: "text", text: delta.content })
    }
    for (const part of delta?.tool_calls ?? []) {
      yield* endReasoning()
      const known = calls.get(part.index)
      const call = known ?? { id: part.id ?? "", name: part.function?.name ?? "", arguments: "", sent: false }
      calls.set(part.index, call)
      if (!known) yield LLMEvent.toolInputStart({ id: call.id, name: call.name })
      call.arguments += part.function?.arguments ?? ""
      const input = parsed(call.arguments)
      if (call.sent || !input) continue
      call.sent = true
      yield LLMEvent.toolCall({ id: call.id, name: call.name, input })
    }
  }
  yield* endReasoning()
  if (open.text) yield LLMEvent.textEnd({ id: "text" })
  yield LLMEvent.stepFinish({
    index: 0,
    reason,
    usage: usage && { inputTokens: usage.prompt_tokens ?? 0, outputTokens: usage.completion_tokens ?? 0 },
  })
}

/** The arguments of a tool call, once all of them have come. */
function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export * as OpenAIChat from "./openai-chat"
