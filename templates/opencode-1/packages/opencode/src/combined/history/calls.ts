/** Gives the calls of a request, and their results, ids that the member accepts. */
import type { Provider } from "@/provider/provider"
import type { ModelMessage } from "ai"
import { CombinedCallIds } from "./call-ids"

/** @param strictly the member has refused the ids, or something else in the history that comes from other members */
export function named(messages: readonly ModelMessage[], model: Provider.Model, strictly: boolean): ModelMessage[] {
  const reader = { npm: model.api.npm, id: model.api.id, providerID: model.providerID }
  const form = strictly ? CombinedCallIds.STRICTEST : CombinedCallIds.formFor(reader)
  const names = CombinedCallIds.namer(form, messages.flatMap(callsOf))
  return messages.map((message): ModelMessage => {
    if (message.role === "assistant" && typeof message.content !== "string")
      return {
        ...message,
        content: message.content.map((part) => {
          if (part.type === "tool-call") return { ...part, toolCallId: names.call(part.toolCallId) }
          return part.type === "tool-result" ? { ...part, toolCallId: names.result(part.toolCallId) } : part
        }),
      }
    if (message.role === "tool")
      return {
        ...message,
        content: message.content.map((part) =>
          part.type === "tool-result" ? { ...part, toolCallId: names.result(part.toolCallId) } : part,
        ),
      }
    return message
  })
}

function callsOf(message: ModelMessage) {
  if (message.role !== "assistant" || typeof message.content === "string") return []
  return message.content.flatMap((part) => (part.type === "tool-call" ? [part.toolCallId] : []))
}

export * as CombinedCalls from "./calls"
