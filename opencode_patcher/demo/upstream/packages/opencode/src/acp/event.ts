/** Tells a client of the Agent Client Protocol what happens in a session. Nothing here starts it. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"

type Update = Record<string, unknown> & { sessionUpdate: string }

type Event = { properties: { sessionID: string } } & (
  | { type: "message.part.updated"; properties: { part: SessionV1.Part } }
  | { type: "message.part.delta"; properties: { messageID: string; partID: string; delta: string } }
)

export class Subscription {
  private readonly toolStarts = new Set<string>()

  constructor(
    private readonly input: {
      connection: { sessionUpdate: (params: { sessionId: string; update: Update }) => Promise<void> }
    },
  ) {}

  async handle(event: Event) {
    switch (event.type) {
      case "message.part.updated":
        return this.handlePartUpdated(event.properties.sessionID, event.properties.part)
      case "message.part.delta":
        return this.tell(event.properties.sessionID, {
          sessionUpdate: "agent_message_chunk",
          content: { type: "text", text: event.properties.delta },
        })
    }
  }

  private async handlePartUpdated(sessionId: string, part: SessionV1.Part) {
    if (part.type !== "tool") return
    if (!this.toolStarts.has(part.callID)) {
      this.toolStarts.add(part.callID)
      await this.tell(sessionId, { sessionUpdate: "tool_call", toolCallId: part.callID, title: part.tool })
    }
    if (part.state.status !== "completed" && part.state.status !== "error") return
    this.clearTool(part.callID)
    const status = part.state.status === "completed" ? "completed" : "failed"
    await this.tell(sessionId, { sessionUpdate: "tool_call_update", toolCallId: part.callID, status })
  }

  private clearTool(toolCallId: string) {
    this.toolStarts.delete(toolCallId)
  }

  private tell(sessionId: string, update: Update) {
    return this.input.connection.sessionUpdate({ sessionId, update })
  }
}

export * as ACPEvent from "./event"
