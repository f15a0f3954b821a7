/** The current run. It is kept with the fiber that runs the session's loop, and ends with the fiber. */
import { CombinedRun } from "../choice/run"
import { Effect, Fiber } from "effect"

const runs = new WeakMap<object, CombinedRun.Run>()

export const current = Effect.sync(() => {
  const fiber = Fiber.getCurrent()
  const known = fiber && runs.get(fiber)
  if (known) return known
  const made = CombinedRun.make()
  if (fiber) runs.set(fiber, made)
  return made
})

export * as CombinedRuns from "./runs"
