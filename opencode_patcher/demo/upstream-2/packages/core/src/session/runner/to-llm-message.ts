import type { Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from "@opencode-ai/ai"
import type { ModelV2 } from "../../model"
import type { SessionMessage } from "../message"

/** The history of a session as a model can read it. What belongs to another model's account is left out. */
export function toLLMMessages(
  messages: readonly SessionMessage.Info[],
  model: ModelV2.Ref,
  _metadataKey: string,
): Message[] {
  return messages.flatMap((message): Message[] => {
    if (message.type === "user") return [{ role: "user", content: [{ type: "text", text: message.text }] }]
    if (message.type === "compaction") return [{ role: "user", content: [{ type: "text", text: message.summary }] }]
    const own = message.model.providerID === model.providerID && message.model.id === model.id
    const tools = message.content.filter((part) => part.type === "tool")
    const content = message.content.flatMap((part): (TextPart | ReasoningPart | ToolCallPart)[] => {
      if (part.type === "text") return part.text ? [{ type: "text", text: part.text }] : []
      if (part.type === "reasoning") return thought(part, own)
      const { id, name, state } = part
      return hasEnded(state) ? [{ type: "tool-call", id, name, input: state.input }] : []
    })
    const results = tools.flatMap(({ id, state }): ToolResultPart[] =>
      hasEnded(state)
        ? [{ type: "tool-result", id, text: state.status === "completed" ? state.output : state.error.message }]
        : [],
    )
    return [
      ...(content.length ? [{ role: "assistant" as const, content }] : []),
      ...(results.length ? [{ role: "tool" as const, content: results }] : []),
    ]
  })
}

function thought({ text, state }: SessionMessage.AssistantReasoning, own: boolean): (TextPart | ReasoningPart)[] {
  if (!text) return []
  const signature = state?.signature
  if (!own) return [{ type: "text", text }]
  return [{ type: "reasoning", text, ...(typeof signature === "string" && { signature }) }]
}

function hasEnded(
  state: SessionMessage.ToolState,
): state is Extract<SessionMessage.ToolState, { status: "completed" | "error" }> {
  return state.status === "completed" || state.status === "error"
}
