/** Cleans up a failed attempt: finished tools and their results stay, everything unfinished is removed. */
import type { Session } from "@/session/session"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { LLMEvent, ToolResultValue } from "@opencode-ai/llm"
import { Effect, Option } from "effect"
import { CombinedAttempt } from "../request/attempt"
import type { Turn } from "./turn"

/**
 * Lets running tools end, stores their results and removes everything unfinished. Returns the finished tools that stay.
 *
 * A broken stream discards queued events, so a tool may have run without the processor knowing. Fails if the user
 * declines to let a loop of calls continue.
 */
export const settle = Effect.fn("CombinedSettlement.settle")(function* (turn: Turn) {
  const attempt = CombinedAttempt.of(turn.streamInput.model)
  if (attempt) attempt.gate.closed = true
  const refused: unknown[] = []
  for (const [id, call] of attempt?.calls ?? []) {
    const part = (yield* stored(turn)).find((item) => item.type === "tool" && item.callID === id)
    if (!part || (part.type === "tool" && part.state.status === "pending"))
      yield* turn.handleEvent(LLMEvent.toolCall({ id, name: call.name, input: call.input })).pipe(
        // Upstream asks whether a loop should continue. The tool has run, and its result is kept whatever the answer
        // is.
        Effect.catch((error) => Effect.sync(() => void refused.push(error))),
      )
    const outcome = yield* Effect.promise(() => call.outcome)
    if (!turn.ctx.toolcalls[id]) continue
    yield* turn.handleEvent(
      outcome.ok
        ? LLMEvent.toolResult({ id, name: call.name, result: ToolResultValue.make(outcome.value) })
        : LLMEvent.toolError({ id, name: call.name, message: String(outcome.error), error: outcome.error }),
    )
  }
  if (refused.length) return yield* Effect.fail(refused[0])

  const all = yield* stored(turn)
  const last = all.findLastIndex(isCommitted)
  // If a tool has finished, the records of the step stay, because the session's undo needs them. So does the step's
  // cost.
  const dropped = all.filter((part, index) => {
    if (part.type === "tool") return !isCommitted(part)
    if (part.type === "step-finish" || part.type === "retry") return false
    return last < 0 || (index > last && (part.type === "text" || part.type === "reasoning"))
  })
  const ids = new Set<string>(dropped.map((part) => part.id))
  if (turn.ctx.currentText && ids.has(turn.ctx.currentText.id)) turn.ctx.currentText = undefined
  turn.ctx.reasoningMap = Object.fromEntries(
    Object.entries(turn.ctx.reasoningMap).filter(([, part]) => !ids.has(part.id)),
  )
  turn.ctx.toolcalls = {}
  if (last < 0) turn.ctx.snapshot = undefined
  yield* Effect.forEach(dropped, (part) =>
    turn.session.removePart({ sessionID: turn.ctx.sessionID, messageID: part.messageID, partID: part.id }),
  )
  return all.filter(isCommitted)
})

/** Closes a step whose tools are done: the loop continues with their results. */
export const commit = Effect.fn("CombinedSettlement.commit")(function* (turn: Turn) {
  const message = turn.ctx.assistantMessage
  if (!message.finish) {
    const usage = CombinedAttempt.of(turn.streamInput.model)?.gate.reported
    yield* turn.handleEvent(LLMEvent.stepFinish({ index: 0, reason: "tool-calls", usage }))
    // Before the next step, it is checked whether its member needs the conversation compacted.
    turn.ctx.needsCompaction = false
  }
  message.finish = "tool-calls"
  return undefined
})

export const stored = (turn: Turn) => parts(turn.session, turn.ctx.assistantMessage)

/** The stored parts of a message. It is usually the newest one; upstream would search for it in pages of fifty. */
export const parts = Effect.fnUntraced(function* (session: Session.Interface, message: SessionV1.Assistant) {
  const { id, sessionID } = message
  const [newest] = yield* session.messages({ sessionID, limit: 1 })
  if (newest?.info.id === id) return newest.parts
  const found = yield* session.findMessage(sessionID, (item) => item.info.id === id)
  return Option.isSome(found) ? found.value.parts : []
}, Effect.orDie)

/**
 * Whether a part is a tool of ours that has finished. A tool that the provider ran itself is part of its answer, and is
 * removed with it. `invalid` is what upstream makes of an unreadable call, for example when the connection ends inside
 * it.
 */
function isCommitted(part: SessionV1.Part): part is SessionV1.ToolPart {
  if (part.type !== "tool" || part.tool === "invalid" || part.metadata?.providerExecuted) return false
  return part.state.status === "completed" || part.state.status === "error"
}

export * as CombinedSettlement from "./settlement"
