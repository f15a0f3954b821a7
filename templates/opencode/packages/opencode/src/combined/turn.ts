/**
 * One attempt at a step, as a transaction.
 *
 * When the provider of a combined model fails, what it had begun is settled: with nothing but text, reasoning and
 * unfinished tool input, all of it is taken back; once a tool has started, running tools come to their end, their
 * results stay, and only the unfinished tail is dropped. The session loop then comes round, asks for the combined model
 * again, gets the next member and builds the request for it from the stored history. No tool runs twice.
 */
import type { Provider } from "@/provider/provider"
import type { LLM } from "@/session/llm"
import type { Session } from "@/session/session"
import { SessionRetry } from "@/session/retry"
import type { SessionStatus } from "@/session/status"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { LLMEvent, ToolResultValue } from "@opencode-ai/llm"
import { Cause, Effect, Option } from "effect"
import type { Tool } from "ai"
import { CombinedFailure } from "./failure"
import { CombinedOrigin } from "./origin"
import { CombinedRequest } from "./request"

/** The part of the processor's state that an attempt changes. */
type Context = {
  readonly sessionID: SessionV1.Assistant["sessionID"]
  assistantMessage: SessionV1.Assistant
  model: Provider.Model
  toolcalls: Record<string, unknown>
  snapshot: string | undefined
  blocked: boolean
  needsCompaction: boolean
  currentText: SessionV1.TextPart | undefined
  reasoningMap: Record<string, SessionV1.ReasoningPart>
}

export type Turn = {
  readonly ctx: Context
  readonly streamInput: LLM.StreamInput
  readonly session: Session.Interface
  readonly status: SessionStatus.Interface
  readonly handleEvent: (event: LLMEvent) => Effect.Effect<void, unknown>
  readonly parse: (error: unknown) => SessionRetry.Err
  readonly halt: (error: unknown) => Effect.Effect<void>
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

type Call = { readonly name: string; readonly input: unknown; readonly outcome: Promise<Outcome> }

type Attempt = { readonly controller: AbortController; readonly calls: Map<string, Call> }

type Failed = { readonly member: string; readonly message: string }

/** Waiting for a cooldown ends by itself: a turn never waits longer than this in one go, nor more often. */
const LONGEST_WAIT = 60_000
const MOST_WAITS = 3

const attempts = new WeakMap<Context, Attempt>()
const retracted = new WeakSet<Context>()

/** How the answer to a user's message went so far: what failed since the last success, and what was taken back. */
type Progress = { list: Failed[]; waits: number; retracted: number }

const records = new Map<string, Progress>()

/** They are small and end with the process; this only bounds a server that runs for months. */
const MOST_RECORDS = 1000

/**
 * Prepares a request: tools run under a signal of ours, which a failing stream does not abort, and their results are
 * kept where a failing stream cannot lose them.
 */
export function begin(ctx: Context, input: LLM.StreamInput): LLM.StreamInput {
  if (!CombinedOrigin.of(input.model)) return input
  const attempt: Attempt = { controller: new AbortController(), calls: new Map() }
  attempts.set(ctx, attempt)
  return {
    ...input,
    tools: Object.fromEntries(Object.entries(input.tools).map(([name, tool]) => [name, kept(attempt, name, tool)])),
  }
}

function kept(attempt: Attempt, name: string, tool: Tool): Tool {
  const execute = tool.execute
  if (!execute) return tool
  return {
    ...tool,
    execute(input, options) {
      const running = Promise.resolve(execute(input, { ...options, abortSignal: attempt.controller.signal }))
      attempt.calls.set(options.toolCallId, {
        name,
        input,
        outcome: running.then(
          (value) => ({ ok: true, value }),
          (error) => ({ ok: false, error }),
        ),
      })
      return running
    },
  }
}

/** Stands around one attempt. A failure that another member may cure ends as success, so that the loop comes round. */
export function guard(turn: Turn) {
  return <R>(attempt: Effect.Effect<void, unknown, R>): Effect.Effect<void, unknown, R> =>
    Effect.suspend(() => {
      const origin = CombinedOrigin.of(turn.streamInput.model)
      if (!origin) return attempt
      return attempt.pipe(
        Effect.flatMap(() => accept(turn, origin)),
        Effect.catchCauseIf(
          (cause) => !Cause.hasInterruptsOnly(cause),
          (cause) => recover(turn, origin, Cause.squash(cause)),
        ),
        Effect.flatMap((again) => (again === "again" ? guard(turn)(attempt) : Effect.void)),
        Effect.ensuring(Effect.sync(() => attempts.get(turn.ctx)?.controller.abort())),
      )
    })
}

/**
 * A line that drops without an error (HTTP/1.1 without chunks, a proxy in between) looks like a short answer, but no
 * finish reason came. Where another member can answer, it does; the last one left is believed, as upstream does.
 */
const accept = Effect.fn("CombinedTurn.accept")(function* (turn: Turn, origin: CombinedOrigin.Origin) {
  if (turn.ctx.assistantMessage.finish === "unknown") {
    const failure = { kind: "network", scope: "model", message: "The answer ended without a finish reason" } as const
    const next = yield* origin.fail(failure)
    if (next.type === "serve") return yield* move(turn, origin, failure, next)
  }
  answered(turn.ctx.assistantMessage.parentID)
  yield* origin.succeed
  // Upstream compares with the room of the member that served; another one may have more.
  if (!turn.ctx.needsCompaction) return undefined
  const wanted = { modes: new Set<never>(), tokens: CombinedRequest.count(turn.ctx.assistantMessage.tokens) }
  if (yield* origin.find((model) => CombinedRequest.can(model, wanted))) turn.ctx.needsCompaction = false
  return undefined
})

/** Removes the message of an attempt that was taken back; upstream's own cleanup has written it once more by now. */
export const settle = Effect.fn("CombinedTurn.settle")(function* (ctx: Context, session: Session.Interface) {
  if (!retracted.delete(ctx)) return
  yield* session.removeMessage({ sessionID: ctx.sessionID, messageID: ctx.assistantMessage.id })
})

const recover = Effect.fn("CombinedTurn.recover")(function* (
  turn: Turn,
  origin: CombinedOrigin.Origin,
  error: unknown,
) {
  const parsed = turn.parse(error)
  // Which errors mean "too long for this model" is upstream's knowledge, and compaction is its cure.
  if (parsed.name === "ContextOverflowError") return yield* Effect.fail(error)
  const failure = CombinedFailure.classify(error, Date.now()) ?? unknown(turn, parsed)
  if (!failure) return yield* Effect.fail(error)
  return yield* move(turn, origin, failure, yield* origin.fail(failure))
})

/** Upstream would ask the same provider again, with the old messages: after a tool has run, that runs it twice. */
function unknown(turn: Turn, parsed: SessionRetry.Err): CombinedFailure.Failure | undefined {
  const retry = SessionRetry.retryable(parsed, turn.ctx.assistantMessage.providerID)
  return retry && { kind: "server", scope: "model", message: retry.message }
}

/** Settles the failed attempt and makes way for the next member. Tells whether the attempt is to be made again here. */
const move = Effect.fn("CombinedTurn.move")(function* (
  turn: Turn,
  origin: CombinedOrigin.Origin,
  failure: CombinedFailure.Failure,
  next: CombinedOrigin.Next,
) {
  const message = turn.ctx.assistantMessage
  const failed = `${message.providerID}/${message.modelID}`
  const committed = yield* finishTools(turn)
  const record = remember(message.parentID, { member: failed, message: failure.message })
  yield* Effect.logWarning("combined failover", {
    "session.id": turn.ctx.sessionID,
    combined: origin.id,
    failed,
    kind: failure.kind,
    message: failure.message,
    committed,
    next: next.type === "serve" ? `${next.model.providerID}/${next.model.id}` : "all are out",
  })
  if (committed && !message.finish) yield* turn.handleEvent(LLMEvent.stepFinish({ index: 0, reason: "tool-calls" }))
  if (committed) message.finish = "tool-calls"
  // The user has refused a tool meanwhile, which ends the turn.
  if (turn.ctx.blocked) return undefined

  if (next.type === "wait") {
    const [{ member, cooldown }] = next.out
    const wait = Math.max(0, cooldown.until - Date.now())
    if (wait > LONGEST_WAIT || record.waits >= MOST_WAITS) {
      yield* turn.halt(new Error(exhausted(origin.id, record.list, next)))
      answered(message.parentID)
      return undefined
    }
    record.waits++
    yield* turn.status.set(turn.ctx.sessionID, {
      type: "retry",
      attempt: record.waits,
      message: `All providers of ${origin.id} are out, ${member.providerID} is the first to return: ${cooldown.message}`,
      next: cooldown.until,
    })
    yield* Effect.sleep(wait)
  }

  // A summary is asked for once and outside the loop, and it has no tools: it is made again in place.
  if (message.summary) {
    const now = next.type === "serve" ? next : yield* origin.next
    yield* swap(turn, now.type === "serve" ? now.model : turn.streamInput.model)
    return "again" as const
  }
  if (committed) return undefined
  record.retracted++
  retracted.add(turn.ctx)
  return undefined
})

/**
 * Lets running tools end, stores their results and removes what is unfinished. Tells whether a finished tool stays.
 *
 * A stream that breaks discards events it had queued, so a tool may have run of which the processor has not heard.
 */
const finishTools = Effect.fn("CombinedTurn.finishTools")(function* (turn: Turn) {
  for (const [id, call] of attempts.get(turn.ctx)?.calls ?? []) {
    const part = (yield* stored(turn)).find((item) => item.type === "tool" && item.callID === id)
    if (!part || (part.type === "tool" && part.state.status === "pending"))
      yield* turn.handleEvent(LLMEvent.toolCall({ id, name: call.name, input: call.input }))
    const outcome = yield* Effect.promise(() => call.outcome)
    if (!turn.ctx.toolcalls[id]) continue
    yield* turn.handleEvent(
      outcome.ok
        ? LLMEvent.toolResult({ id, name: call.name, result: ToolResultValue.make(outcome.value) })
        : LLMEvent.toolError({ id, name: call.name, message: String(outcome.error), error: outcome.error }),
    )
  }

  const parts = yield* stored(turn)
  const last = parts.findLastIndex(isCommitted)
  // Beside a finished tool the records of the step stay: the session's undo needs them.
  const dropped = parts.filter((part, index) => {
    if (part.type === "tool") return !isCommitted(part)
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
  return last >= 0
})

const stored = (turn: Turn) =>
  turn.session
    .findMessage(turn.ctx.sessionID, (item) => item.info.id === turn.ctx.assistantMessage.id)
    .pipe(
      Effect.orDie,
      Effect.map((found) => (Option.isSome(found) ? found.value.parts : [])),
    )

/**
 * A tool that the provider ran itself is part of its answer, and goes with it. `invalid` is what upstream makes of a call
 * that cannot be read, as when the line ends in the middle of it.
 */
function isCommitted(part: SessionV1.Part) {
  if (part.type !== "tool" || part.tool === "invalid" || part.metadata?.providerExecuted) return false
  return part.state.status === "completed" || part.state.status === "error"
}

const swap = Effect.fn("CombinedTurn.swap")(function* (turn: Turn, model: Provider.Model) {
  turn.ctx.model = model
  turn.ctx.assistantMessage.providerID = model.providerID
  turn.ctx.assistantMessage.modelID = model.id
  turn.ctx.assistantMessage.finish = undefined
  turn.streamInput.model = model
  turn.streamInput.messages = CombinedOrigin.portable(turn.streamInput.messages)
  yield* turn.session.updateMessage(turn.ctx.assistantMessage)
})

/** Attempts that were taken back while this message was being answered. They are not steps of the agent. */
export function retractions(parentID: string) {
  return records.get(parentID)?.retracted ?? 0
}

function remember(parentID: string, failed: Failed) {
  const record = records.get(parentID) ?? { list: [], waits: 0, retracted: 0 }
  record.list.push(failed)
  records.set(parentID, record)
  const [oldest] = records.keys()
  if (records.size > MOST_RECORDS) records.delete(oldest)
  return record
}

function answered(parentID: string) {
  const record = records.get(parentID)
  if (!record) return
  record.list = []
  record.waits = 0
}

/** The first failure first: a later one must not hide what went wrong. Members that were out before come after. */
function exhausted(id: string, list: readonly Failed[], next: Extract<CombinedOrigin.Next, { type: "wait" }>) {
  const earlier = next.out.map((item) => ({
    member: `${item.member.providerID}/${item.member.modelID}`,
    message: item.cooldown.message,
  }))
  const all = [...list, ...earlier]
  const [{ member, cooldown }] = next.out
  return [
    `No provider of ${id} can answer now.`,
    ...all
      .filter((item, index) => all.findIndex((other) => other.member === item.member) === index)
      .map((item) => `${item.member}: ${item.message}`),
    `${member.providerID} is the first to return, at ${new Date(cooldown.until).toISOString()}.`,
  ].join("\n")
}

export * as CombinedTurn from "./turn"
