/** What a session's loop tells its steps. The two are separate modules of upstream's since v2.0.1. */
import { Effect } from "effect"
import type { SessionContext } from "../../session/context"
import { CombinedRunnerStep } from "./step"

type Place = {
  readonly context: SessionContext.Loaded
  readonly number: number
}

/** The key is the prepared request, which the loop hands to the step. */
const places = new WeakMap<object, Place>()

export function put<Prepared extends object>(prepared: Prepared, place: Place): Prepared {
  places.set(prepared, place)
  return prepared
}

export function of(prepared: object): Place {
  const place = places.get(prepared)
  if (!place) throw new Error("A request came to a step without its place")
  return place
}

/** Wraps one attempt at a step. `again` is the outcome after which upstream's loop starts the step again at once. */
export const attempt =
  <Input, A, Again, E, R>(once: (input: Input) => Effect.Effect<A, E, R>, again: Again) =>
  (input: Input): Effect.Effect<A | Again, E, R> =>
    once(input).pipe(
      Effect.catchDefect((defect) =>
        CombinedRunnerStep.startsAgain(defect) ? Effect.succeed(again) : Effect.die(defect),
      ),
    )

export * as CombinedRunnerPlace from "./place"
