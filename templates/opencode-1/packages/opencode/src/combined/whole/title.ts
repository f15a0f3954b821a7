/**
 * Small requests (titles) go to the LLM layer directly, with no processor around them. They have no tools and nobody
 * watches them stream, so an answer is held back until it is whole, and a failed one is asked again of the next member.
 * When all are out it waits for the first to return, as a turn does.
 */
import type { LLM } from "@/session/llm"
import type { LLMEvent } from "@opencode-ai/llm"
import { Cause, Effect } from "effect"
import * as Stream from "effect/Stream"
import { CombinedAttempt } from "../request/attempt"
import { CombinedConclusion } from "../request/conclusion"
import { CombinedFailure } from "../failure/classify"
import { CombinedRoute } from "../provider/route"
import { CombinedRecovery } from "../driver/recovery"
import { CombinedWaiting } from "../driver/waiting"

type Send = LLM.Interface["stream"]

/** So often one request waits until the first member is back, and asks one again whose failures do not move on. */
type Left = { readonly waits: number; readonly repeats: number }

/** Upstream has the AI SDK ask twice more, which takes six seconds, or up to a minute each where the provider says so. */
const MOST_WAITS = 2
const PAUSE = 2000

export function wrap(send: Send): Send {
  return (input) => {
    const origin = CombinedRoute.of(input.model)
    if (!input.small || !origin) return send(input)
    // Upstream has no variants for small requests.
    const user = { ...input.user, model: { ...input.user.model, variant: undefined } }
    const left = { waits: MOST_WAITS, repeats: input.retries ?? 0 }
    return Stream.unwrap(whole(send, { ...input, user, retries: 0 }, origin, left))
  }
}

const whole = (
  send: Send,
  input: LLM.StreamInput,
  origin: CombinedRoute.Origin,
  left: Left,
): Effect.Effect<ReturnType<Send>, unknown> =>
  Effect.suspend(() => {
    const attempt = CombinedAttempt.make(input)
    const record = (conclusion: CombinedConclusion.Conclusion) =>
      CombinedConclusion.write(attempt, subject(input), origin, conclusion)
    return Stream.runCollect(CombinedAttempt.send(attempt, input, send)).pipe(
      Effect.raceFirst(CombinedAttempt.watch(() => attempt, origin)),
      Effect.flatMap((events) => (isWhole(events) ? Effect.succeed(events) : Effect.fail(new Incomplete()))),
      Effect.tap(() => record({ action: "served" })),
      Effect.map((events) => Stream.fromIterable(events)),
      Effect.onInterrupt(() => record({ action: "cancelled" })),
      Effect.catchCauseIf(
        (cause) => !Cause.hasInterruptsOnly(cause),
        (cause) =>
          Effect.gen(function* () {
            const error = Cause.squash(cause)
            const failure = failed(error, attempt)
            if (!failure) {
              yield* record({
                action: "ended",
                failure: { kind: "final", message: CombinedFailure.describe(error) },
              })
              return yield* Effect.fail(error)
            }
            const plan = yield* follow(origin, failure, left)
            yield* record({ action: plan.action, failure, ...(plan.action === "moved" && { next: plan.model }) })
            if (plan.action === "ended") return yield* Effect.fail(error)
            if (plan.action === "repeated") {
              yield* Effect.sleep(plan.pause)
              return yield* whole(send, input, origin, { ...left, repeats: left.repeats - 1 })
            }
            if (plan.action === "waited") yield* Effect.sleep(plan.pause)
            const next = plan.action === "moved" ? plan : yield* origin.next()
            const further = next.type === "serve" ? CombinedRoute.of(next.model) : undefined
            if (next.type === "wait" || !further) return yield* Effect.fail(error)
            const messages = CombinedRoute.portable(input.messages)
            const waits = plan.action === "waited" ? left.waits - 1 : left.waits
            return yield* whole(send, { ...input, model: next.model, messages }, further, { ...left, waits })
          }),
      ),
    )
  })

/** What follows a failure. Pauses are milliseconds. */
const follow = Effect.fn("CombinedTitle.follow")(function* (
  origin: CombinedRoute.Origin,
  failure: CombinedFailure.Failure,
  left: Left,
) {
  const ended = { action: "ended" as const }
  if (!CombinedRecovery.moves(origin, failure.kind)) {
    const pause = failure.retryAfter ?? PAUSE
    const passes = CombinedFailure.passes({ ...failure, retryAfter: undefined }) && pause <= CombinedWaiting.LONGEST
    return passes && left.repeats > 0 ? { action: "repeated" as const, pause } : ended
  }
  const next = yield* origin.fail(failure)
  if (next.type === "serve") return { action: "moved" as const, ...next }
  const pause = Math.max(0, (next.out.at(0)?.cooldown.until ?? Infinity) - Date.now())
  return left.waits > 0 && pause <= CombinedWaiting.LONGEST ? { action: "waited" as const, pause } : ended
})

class Incomplete extends Error {
  override readonly message = "The answer was empty or ended without a finish reason"
}

function isWhole(events: readonly LLMEvent[]) {
  const finish = events.findLast((event) => event.type === "step-finish")?.reason
  return (
    finish !== "unknown" &&
    finish !== "error" &&
    events.some((event) => event.type === "text-delta" && event.text.trim())
  )
}

function failed(error: unknown, attempt: CombinedAttempt.Attempt): CombinedFailure.Failure | undefined {
  if (error instanceof Incomplete) return { kind: "network", scope: "model", message: error.message }
  if (error instanceof CombinedAttempt.Silence) return error.failure
  return CombinedFailure.classify(error, Date.now(), attempt.gate.failed)
}

const subject = (input: LLM.StreamInput): CombinedConclusion.Subject => ({
  session: input.sessionID,
  message: input.user.id,
  purpose: input.agent.name === "title" ? "title" : "small",
  provider: input.model.providerID,
  model: input.model.id,
})

export * as CombinedTitle from "./title"
