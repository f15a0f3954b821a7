/** Asks the same provider again, without end, as long as its error looks temporary. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"

const FIRST_DELAY = 2000
const LONGEST_DELAY = 30_000
/** What a timer can hold; a provider may ask for more. */
const LONGEST_TIMER = 2 ** 31 - 1

type Options = {
  readonly parse: (error: unknown) => SessionV1.ErrorInfo
  readonly set: (info: { attempt: number; message: string; next: number }) => Effect.Effect<void>
}

/** Milliseconds to wait after a failed attempt (from 1): what the provider asks for, else twice as long as before. */
export function delay(attempt: number, error: SessionV1.ErrorInfo) {
  const seconds = Number(error.data.responseHeaders?.["retry-after"])
  if (seconds > 0) return Math.min(seconds * 1000, LONGEST_TIMER)
  return Math.min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY)
}

export function policy(options: Options) {
  const again =
    (attempt: number) =>
    <R>(self: Effect.Effect<void, unknown, R>): Effect.Effect<void, unknown, R> =>
      self.pipe(
        Effect.catch((cause) =>
          Effect.gen(function* () {
            const error = options.parse(cause)
            if (!error.data.isRetryable) return yield* Effect.fail(cause)
            const wait = delay(attempt, error)
            yield* options.set({ attempt, message: error.data.message, next: Date.now() + wait })
            yield* Effect.sleep(wait)
            yield* again(attempt + 1)(self)
          }),
        ),
      )
  return again(1)
}

export * as SessionRetry from "./retry"
