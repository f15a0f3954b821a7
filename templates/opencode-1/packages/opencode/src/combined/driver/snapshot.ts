/**
 * Snapshots of the user's files, used to undo an answer. They are taken so that switching providers does not wait for
 * git.
 *
 * Upstream takes a snapshot before each request and at the end of each step, and waits for it. This starts git several
 * times, which takes most of the time between a failure and the next request. But a snapshot only has to be taken
 * before a tool changes a file, not before a request is sent. So the next attempt at an answer reuses the previous
 * one's snapshot, or after a finished tool the one that is being taken at the end of that step. Only the first event of
 * the answer, and each tool, wait for it.
 */
import { Session } from "@/session/session"
import { PartID } from "@/session/schema"
import type { LLM } from "@/session/llm"
import type { SessionSummary } from "@/session/summary"
import type { Snapshot } from "@/snapshot"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { LLMEvent, Usage } from "@opencode-ai/llm"
import type { Tool } from "ai"
import { Effect, Fiber } from "effect"
import * as Stream from "effect/Stream"
import { CombinedRoute } from "../provider/route"

/**
 * For how long a snapshot can be reused, in milliseconds. The user's changes in this time would count as the agent's
 * work and be undone with it, so it is no longer than a short step.
 */
const FRESH = 5000

type Taken = {
  readonly sessionID: SessionV1.Assistant["sessionID"]
  readonly parentID: SessionV1.Assistant["parentID"]
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The snapshot's hash; available before a tool may change files again. Undefined if snapshots are switched off. */
  readonly hash: Effect.Effect<string | undefined>
  /** A tool has started since the snapshot. */
  used: boolean
}

type Input = {
  readonly assistantMessage: SessionV1.Assistant
  readonly sessionID: SessionV1.Assistant["sessionID"]
  readonly model: Parameters<typeof CombinedRoute.of>[0]
}

type Context = { assistantMessage: SessionV1.Assistant; snapshot: string | undefined }

type Send = LLM.Interface["stream"]

/** The key is the message that the attempt makes. */
const attempts = new WeakMap<SessionV1.Assistant, Taken>()

/** The last snapshot of each session, as long as the next attempt at the same answer may reuse it. */
const latest = new Map<SessionV1.Assistant["sessionID"], Taken>()

/** The snapshot with which an attempt starts; undefined while it is still being taken. */
export const begin = Effect.fn("CombinedSnapshot.begin")(function* (
  input: Input,
  track: Effect.Effect<string | undefined>,
) {
  if (!CombinedRoute.of(input.model)) return yield* track
  const { assistantMessage, sessionID } = input
  const { parentID } = assistantMessage
  const before = latest.get(sessionID)
  if (before && serves(before, parentID)) {
    attempts.set(assistantMessage, before)
    return undefined
  }
  const at = Date.now()
  const hash = yield* track
  const taken = { sessionID, parentID, at, hash: Effect.succeed(hash), used: false }
  attempts.set(assistantMessage, taken)
  yield* remember(taken)
  return hash
})

function serves(taken: Taken, parentID: string) {
  const age = Date.now() - taken.at
  return taken.parentID === parentID && !taken.used && age >= 0 && age < FRESH
}

const remember = (taken: Taken) =>
  Effect.gen(function* () {
    latest.set(taken.sessionID, taken)
    yield* Effect.sync(() => latest.get(taken.sessionID) === taken && latest.delete(taken.sessionID)).pipe(
      Effect.delay(FRESH),
      Effect.forkDetach,
    )
  })

/** Sends the request of an attempt whose snapshot may still be in progress. */
export function stream(ctx: Context, input: LLM.StreamInput, send: Send): ReturnType<Send> {
  const taken = attempts.get(ctx.assistantMessage)
  if (!taken) return send(input)
  const known = Effect.map(taken.hash, (hash) => {
    ctx.snapshot ??= hash
  })
  const tools = Object.fromEntries(
    Object.entries(input.tools).map(([name, tool]) => [name, held(tool, taken, known)] as const),
  )
  return Stream.transformPull(send({ ...input, tools }), (pull) =>
    Effect.sync(() => {
      const first = { come: false }
      return Effect.tap(pull, () => {
        if (first.come) return Effect.void
        first.come = true
        return known
      })
    }),
  )
}

function held(tool: Tool, taken: Taken, known: Effect.Effect<void>): Tool {
  const execute = tool.execute
  if (!execute) return tool
  return {
    ...tool,
    async execute(input, options) {
      taken.used = true
      await Effect.runPromise(known)
      options.abortSignal?.throwIfAborted()
      return execute(input, options)
    },
  }
}

type Step = {
  readonly ctx: Context & Pick<Input, "sessionID" | "model">
  readonly session: Session.Interface
  readonly snapshot: Snapshot.Interface
  readonly summary: SessionSummary.Interface
}

/** Ends a step as upstream does, but runs git afterwards, so that the next request does not have to wait. */
export const finish = Effect.fn("CombinedSnapshot.finish")(function* (
  step: Step,
  event: LLMEvent & { type: "step-finish" },
) {
  const { ctx, session, snapshot } = step
  const message = ctx.assistantMessage
  const { id: messageID, sessionID, parentID } = message
  const start = ctx.snapshot
  ctx.snapshot = undefined
  const spent = Session.getUsage({
    model: ctx.model,
    usage: event.usage ?? new Usage({}),
    metadata: event.providerMetadata,
  })
  message.finish = event.reason
  message.cost += spent.cost
  message.tokens = spent.tokens
  yield* session.updateMessage(message)
  const record = { messageID, sessionID, reason: event.reason, tokens: spent.tokens, cost: spent.cost }
  // git is never interrupted, whatever happens to the turn.
  const ended = yield* Effect.gen(function* () {
    const end = yield* snapshot.track()
    yield* session.updatePart({ id: PartID.ascending(), type: "step-finish", snapshot: end, ...record })
    const patch = start === undefined ? undefined : yield* snapshot.patch(start)
    if (patch?.files.length)
      yield* session.updatePart({ id: PartID.ascending(), messageID, sessionID, type: "patch", ...patch })
    yield* step.summary.summarize({ sessionID, messageID: parentID }).pipe(Effect.ignore, Effect.forkDetach)
    return end
  }).pipe(Effect.forkDetach({ startImmediately: true }))
  yield* remember({ sessionID, parentID, at: Date.now(), hash: Fiber.join(ended), used: false })
})

export * as CombinedSnapshot from "./snapshot"
