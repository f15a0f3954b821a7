/** Watches for a silent member, so that another one can be asked instead. */
import { Effect } from "effect"
import type { CombinedDecide } from "../turn/decide"
import { CombinedSilence } from "../turn/silence"

/** Raised for a member that has been silent for too long. */
export class Silence extends Error {
  readonly end: Exclude<CombinedDecide.End, { kind: "whole" }>

  constructor(message: string) {
    super(message)
    this.name = "Silence"
    this.end = { kind: "timeout", scope: "model", message, lasting: true, silent: true }
  }
}

type Seen = {
  readonly silence: number
  /** How much of the silence passed without any sign of life, if known. */
  readonly lost?: number
  readonly started: boolean
}

/**
 * Fails once the member has been silent for too long and another one can answer; never ends otherwise.
 *
 * @param look returns for how many milliseconds the member has been silent, and whether its answer has begun
 * @param others whether another member can answer now; only checked once the silence exceeds its limit
 */
export const watch = (
  look: () => Seen,
  settings: CombinedDecide.Settings,
  others: Effect.Effect<boolean>,
): Effect.Effect<never, Silence> =>
  Effect.gen(function* () {
    while (true) {
      const seen = look()
      const facts = { settings, ...seen, lost: seen.lost ?? 0 }
      const limit = CombinedSilence.exceeded(facts)
      const pause = CombinedSilence.lookAgain({ ...facts, others: limit !== undefined && (yield* others) })
      if (pause === undefined && limit !== undefined)
        return yield* Effect.fail(new Silence(words(limit, facts.lost >= limit, seen.started)))
      yield* Effect.sleep(pause ?? 0)
    }
  })

function words(limit: number, lost: boolean, started: boolean) {
  const time = `${Math.round(limit / 100) / 10} s`
  if (started) return `${lost ? "Nothing came for" : "Silent for"} ${time} in the middle of its answer`
  return lost ? `Nothing came in ${time}` : `No first token in ${time}`
}

export * as CombinedWatch from "./watch"
