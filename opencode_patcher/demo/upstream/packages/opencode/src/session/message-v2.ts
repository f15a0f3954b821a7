/** From stored messages to those that a model is sent, and from what was thrown to the error that is stored. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { AssistantModelMessage, ModelMessage, ToolResultPart } from "ai"
import { Effect } from "effect"
import { APICallError } from "@/provider/openai-chat"
import type { Provider } from "@/provider/provider"

/** All models are sent the same here. */
export const toModelMessagesEffect = Effect.fnUntraced(function* (
  input: readonly SessionV1.WithParts[],
  model: Provider.Model,
) {
  const result: ModelMessage[] = []
  for (const msg of input) {
    result.push(...(msg.info.role === "user" ? user(msg.parts) : assistant(msg.parts)))
  }
  return result
})

export function text(parts: readonly SessionV1.Part[]) {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")
}

function user(parts: readonly SessionV1.Part[]): ModelMessage[] {
  return [{ role: "user", content: text(parts) }]
}

function assistant(parts: readonly SessionV1.Part[]): ModelMessage[] {
  const content = parts.flatMap((part): Exclude<AssistantModelMessage["content"], string> => {
    if (part.type === "text" && part.text) return [{ type: "text", text: part.text }]
    if (part.type === "reasoning") return [{ type: "reasoning", text: part.text }]
    if (part.type !== "tool") return []
    return [{ type: "tool-call", toolCallId: part.callID, toolName: part.tool, input: part.state.input }]
  })
  const results = parts.flatMap((part) => (part.type === "tool" ? [result(part)] : []))
  if (!content.some((part) => part.type !== "reasoning")) return []
  const message: ModelMessage = { role: "assistant", content }
  return results.length ? [message, { role: "tool", content: results }] : [message]
}

function result(part: SessionV1.ToolPart): ToolResultPart {
  const state = part.state
  const base = { type: "tool-result", toolCallId: part.callID, toolName: part.tool } as const
  if (state.status === "completed") return { ...base, output: { type: "text", value: state.output } }
  const value = state.status === "error" ? state.error : "The tool was interrupted"
  return { ...base, output: { type: "error-text", value } }
}

const OVERFLOW = /context length|maximum context|too long/i

export function fromError(error: unknown): SessionV1.ErrorInfo {
  const message = describe(error)
  if (error instanceof DOMException && error.name === "AbortError")
    return { name: "MessageAbortedError", data: { message } }
  if (error instanceof APICallError) {
    if (error.statusCode === 400 && OVERFLOW.test(message)) return { name: "ContextOverflowError", data: { message } }
    const { statusCode, isRetryable, responseHeaders, responseBody } = error
    return { name: "APIError", data: { message, statusCode, isRetryable, responseHeaders, responseBody } }
  }
  if (error instanceof Error && "code" in error && error.code === "ECONNRESET")
    return { name: "APIError", data: { message: `Connection lost: ${message}`, isRetryable: true } }
  return { name: "UnknownError", data: { message } }
}

function describe(error: unknown) {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message)
  return String(error)
}

export * as MessageV2 from "./message-v2"
