/** Watches a silent member, so that another one can be asked instead. */
import { Effect } from "effect"
import { CombinedDecide } from "../turn/decide"

/** Raised for a member that has been silent for too long. */
export class Silence extends Error {
  readonly end: Exclude<CombinedDecide.End, { kind: "whole" }>

  constructor(message: string) {
    super(message)
    this.name = "Silence"
    this.end = { kind: "timeout", scope: "model", message, lasting: true, silent: true }
  }
}

/**
 * Fails once the member has been silent for too long and another one can answer; never ends otherwise.
 *
 * @param look for how many milliseconds it has been silent, and whether its answer has begun
 * @param others whether another member can answer now; only checked once the silence exceeds its limit
 */
export const watch = (
  look: () => { readonly silence: number; readonly started: boolean },
  settings: CombinedDecide.Settings,
  others: Effect.Effect<boolean>,
): Effect.Effect<never, Silence> =>
  Effect.gen(function* () {
    while (true) {
      const { silence, started } = look()
      const limit = CombinedDecide.silenceLimit(settings, started)
      const facts = { settings, silence, started, others: silence >= limit && (yield* others) }
      const pause = CombinedDecide.lookAgain(facts)
      if (pause === undefined) {
        const message = started
          ? `Silent for ${seconds(limit)} in the middle of its answer`
          : `No first token in ${seconds(limit)}`
        return yield* Effect.fail(new Silence(message))
      }
      yield* Effect.sleep(pause)
    }
  })

const seconds = (milliseconds: number) => `${Math.round(milliseconds / 100) / 10} s`

export * as CombinedWatch from "./watch"
