/** What the events of a session mean for its stored messages. Pieces of an answer are stored once they have ended. */
import type { SessionEvent } from "./event"
import type { SessionMessage } from "./message"

export type Adapter = {
  readonly get: (id: SessionMessage.ID) => SessionMessage.Info | undefined
  /** Stores a message, a new one behind all others. */
  readonly put: (message: SessionMessage.Info) => void
}

type Handlers = { readonly [Type in keyof SessionEvent.Data]?: (event: SessionEvent.Of<Type>) => void }

/** A changed copy. */
function produce<Value>(value: Value, change: (draft: Value) => void): Value {
  const draft = structuredClone(value)
  change(draft)
  return draft
}

const inputOf = ({ state }: SessionMessage.AssistantTool) => (state.status === "streaming" ? {} : state.input)

export const make = (adapter: Adapter) => {
  const updateAssistant = (id: SessionMessage.ID, change: (draft: SessionMessage.Assistant) => void) => {
    const existing = adapter.get(id)
    if (existing?.type === "assistant") adapter.put(produce(existing, change))
  }

  const updateTool = (id: SessionMessage.ID, call: string, change: (draft: SessionMessage.AssistantTool) => void) =>
    updateAssistant(id, ({ content }) => {
      for (const part of content) if (part.type === "tool" && part.id === call) change(part)
    })

  const updateCompaction = (id: SessionMessage.ID, change: Partial<SessionMessage.Compaction>) => {
    const existing = adapter.get(id)
    if (existing?.type === "compaction") adapter.put({ ...existing, ...change })
  }

  return {
    /** Stores what an event says; most say nothing of the messages. */
    update: (event: { readonly type: string }) => {
      const handlers: Handlers = {
        "session.input.promoted": ({ data: { messageID: id, text }, created }) =>
          adapter.put({ type: "user", id, text, time: { created } }),
        "session.step.started": (event) => {
          const { assistantMessageID: id, agent, model } = event.data
          const existing = adapter.get(id)
          if (existing?.type === "assistant") {
            return adapter.put(
              produce(existing, (draft) => {
                draft.agent = event.data.agent
                draft.model = event.data.model
                draft.retry = undefined
                draft.error = undefined
                draft.finish = undefined
                draft.time.completed = undefined
              }),
            )
          }
          adapter.put({ type: "assistant", id, agent, model, content: [], time: { created: event.created } })
        },
        "session.step.ended": ({ data, created }) =>
          updateAssistant(data.assistantMessageID, (draft) => {
            draft.finish = data.finish
            draft.cost = data.cost
            draft.tokens = data.tokens
            draft.time.completed = created
          }),
        "session.step.failed": ({ data, created }) =>
          updateAssistant(data.assistantMessageID, (draft) => {
            draft.error = data.error
            draft.retry = undefined
            draft.cost = data.cost ?? draft.cost
            draft.tokens = data.tokens ?? draft.tokens
            draft.time.completed = created
          }),
        "session.retry.scheduled": ({ data: { assistantMessageID, attempt, at, error } }) =>
          updateAssistant(assistantMessageID, (draft) => {
            draft.retry = { attempt, at, error }
          }),
        "session.text.ended": ({ data: { assistantMessageID, text } }) =>
          updateAssistant(assistantMessageID, ({ content }) => void content.push({ type: "text", text })),
        "session.reasoning.ended": ({ data: { assistantMessageID, text, state } }) =>
          updateAssistant(assistantMessageID, ({ content }) => void content.push({ type: "reasoning", text, state })),
        "session.tool.input.started": ({ data: { assistantMessageID, callID, name } }) =>
          updateAssistant(assistantMessageID, ({ content }) => {
            content.push({ type: "tool", id: callID, name, state: { status: "streaming", input: "" } })
          }),
        "session.tool.called": ({ data: { assistantMessageID, callID, input, executed } }) =>
          updateTool(assistantMessageID, callID, (draft) => {
            draft.executed = executed
            draft.state = { status: "running", input }
          }),
        "session.tool.success": ({ data: { assistantMessageID, callID, output } }) =>
          updateTool(assistantMessageID, callID, (draft) => {
            draft.state = { status: "completed", input: inputOf(draft), output }
          }),
        "session.tool.failed": ({ data: { assistantMessageID, callID, error } }) =>
          updateTool(assistantMessageID, callID, (draft) => {
            draft.state = { status: "error", input: inputOf(draft), error }
          }),
        "session.compaction.started": ({ data, created }) =>
          adapter.put({ type: "compaction", id: data.messageID, status: "running", summary: "", time: { created } }),
        "session.compaction.ended": ({ data }) =>
          updateCompaction(data.messageID, { status: "completed", summary: data.text }),
        "session.compaction.failed": ({ data }) =>
          updateCompaction(data.messageID, { status: "failed", error: data.error }),
      }
      const all: Readonly<Record<string, ((event: never) => void) | undefined>> = handlers
      all[event.type]?.(event as never)
    },
  }
}

export * as SessionMessageUpdater from "./message-updater"
