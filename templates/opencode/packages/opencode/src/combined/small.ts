/**
 * Small requests (titles) go to the LLM layer directly, with no processor around them. They have no tools and nobody
 * watches them stream, so an answer is held back until it is whole, and a failed one is asked again of the next member.
 */
import type { LLM } from "@/session/llm"
import { Cause, Effect } from "effect"
import * as Stream from "effect/Stream"
import { CombinedFailure } from "./failure"
import { CombinedOrigin } from "./origin"

type Send = LLM.Interface["stream"]

export function wrap(send: Send): Send {
  return (input) => (input.small && CombinedOrigin.of(input.model) ? Stream.unwrap(whole(send, input)) : send(input))
}

const whole = (send: Send, input: LLM.StreamInput): Effect.Effect<ReturnType<Send>, unknown> =>
  Effect.suspend(() => {
    const origin = CombinedOrigin.of(input.model)
    return Stream.runCollect(send({ ...input, retries: 0 })).pipe(
      Effect.map((events) => Stream.fromIterable(events)),
      Effect.catchCauseIf(
        (cause) => !Cause.hasInterruptsOnly(cause),
        (cause) =>
          Effect.gen(function* () {
            const error = Cause.squash(cause)
            const failure = CombinedFailure.classify(error, Date.now())
            if (!failure || !origin) return yield* Effect.fail(error)
            const next = yield* origin.fail(failure)
            if (next.type === "wait") return yield* Effect.fail(error)
            return yield* whole(send, {
              ...input,
              model: next.model,
              messages: CombinedOrigin.portable(input.messages),
            })
          }),
      ),
    )
  })

export * as CombinedSmall from "./small"
