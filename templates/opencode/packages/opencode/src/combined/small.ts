/**
 * Small requests (titles) go to the LLM layer directly, with no processor around them. They have no tools and nobody
 * watches them stream, so an answer is held back until it is whole, and a failed one is asked again of the next member.
 */
import type { LLM } from "@/session/llm"
import type { LLMEvent } from "@opencode-ai/llm"
import { Cause, Effect } from "effect"
import * as Stream from "effect/Stream"
import { CombinedAttempt } from "./attempt"
import { CombinedConclusion } from "./conclusion"
import { CombinedFailure } from "./failure"
import { CombinedOrigin } from "./origin"

type Send = LLM.Interface["stream"]

export function wrap(send: Send): Send {
  return (input) => {
    const origin = CombinedOrigin.of(input.model)
    if (!input.small || !origin) return send(input)
    // Upstream has no variants for small requests.
    const user = { ...input.user, model: { ...input.user.model, variant: undefined } }
    return Stream.unwrap(whole(send, { ...input, user, retries: 0 }, origin))
  }
}

const whole = (
  send: Send,
  input: LLM.StreamInput,
  origin: CombinedOrigin.Origin,
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
            const failure = failed(error)
            if (!failure) {
              yield* record({
                action: "ended",
                failure: { kind: "final", message: CombinedFailure.describe(error) },
              })
              return yield* Effect.fail(error)
            }
            const next = yield* origin.fail(failure)
            yield* record(
              next.type === "wait" ? { action: "ended", failure } : { action: "moved", failure, next: next.model },
            )
            const further = next.type === "serve" ? CombinedOrigin.of(next.model) : undefined
            if (next.type === "wait" || !further) return yield* Effect.fail(error)
            const messages = CombinedOrigin.portable(input.messages)
            return yield* whole(send, { ...input, model: next.model, messages }, further)
          }),
      ),
    )
  })

class Incomplete extends Error {
  override readonly message = "The answer was empty or ended without a finish reason"
}

function isWhole(events: readonly LLMEvent[]) {
  const finish = events.findLast((event) => event.type === "step-finish")?.reason
  return finish !== "unknown" && events.some((event) => event.type === "text-delta" && event.text.trim())
}

function failed(error: unknown): CombinedFailure.Failure | undefined {
  if (error instanceof Incomplete) return { kind: "network", scope: "model", message: error.message }
  return error instanceof CombinedAttempt.Silence ? error.failure : CombinedFailure.classify(error, Date.now())
}

const subject = (input: LLM.StreamInput): CombinedConclusion.Subject => ({
  session: input.sessionID,
  message: input.user.id,
  purpose: input.agent.name === "title" ? "title" : "small",
  provider: input.model.providerID,
  model: input.model.id,
})

export * as CombinedSmall from "./small"
