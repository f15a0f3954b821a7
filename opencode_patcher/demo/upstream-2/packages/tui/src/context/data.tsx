/** The messages of a session, as the events tell them. */
import type { EventV2 } from "@opencode-ai/core/event"
import type { SessionEvent } from "@opencode-ai/core/session/event"
import type { SessionMessage } from "@opencode-ai/core/session/message"
import { useClient } from "./client"

type Payload = { [Type in keyof SessionEvent.Data]: SessionEvent.Of<Type> }[keyof SessionEvent.Data]
type Assistant = SessionMessage.Assistant
type Tool = SessionMessage.AssistantTool

export const SessionData = {
  create: (sessionID: string) => {
    const messages: Assistant[] = []

    const update = (id: string, change: (existing: Assistant | undefined) => void) =>
      change(messages.find((message) => message.id === id))

    const updateTool = (id: string, call: string, change: (tool: Tool) => void) =>
      update(id, (existing) => {
        for (const part of existing?.content ?? []) if (part.type === "tool" && part.id === call) change(part)
      })

    function handleEvent(event: Payload) {
      switch (event.type) {
        case "session.step.started":
          update(event.data.assistantMessageID, (existing) => {
            if (existing) {
              existing.agent = event.data.agent
              existing.model = event.data.model
              existing.error = undefined
              return
            }
            const { assistantMessageID: id, agent, model } = event.data
            messages.push({ type: "assistant", id, agent, model, content: [], time: { created: event.created } })
          })
          break
        case "session.step.failed":
          update(event.data.assistantMessageID, (existing) => {
            if (existing) existing.error = event.data.error
          })
          break
        case "session.text.started":
          update(event.data.assistantMessageID, (existing) => existing?.content.push({ type: "text", text: "" }))
          break
        case "session.text.delta":
          update(event.data.assistantMessageID, (existing) => {
            const part = existing?.content.findLast(({ type }) => type === "text")
            if (part?.type === "text") part.text += event.data.delta
          })
          break
        case "session.tool.input.started":
          update(event.data.assistantMessageID, (existing) =>
            existing?.content.push({
              type: "tool",
              id: event.data.callID,
              name: event.data.name,
              state: { status: "streaming", input: "" },
            }),
          )
          break
        case "session.tool.called":
          updateTool(event.data.assistantMessageID, event.data.callID, (tool) => {
            tool.state = { status: "running", input: event.data.input }
          })
      }
    }

    useClient().listen((event: EventV2.Payload) => {
      const { data } = event
      if (typeof data === "object" && data !== null && "sessionID" in data && data.sessionID === sessionID)
        handleEvent(event as Payload)
    })

    return { messages }
  },
}
