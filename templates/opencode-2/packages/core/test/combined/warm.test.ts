import "./own-state"
import { expect, test } from "bun:test"
import { DateTime } from "effect"
import { CombinedRun } from "../../src/combined/choice/run"
import { CombinedWarm } from "../../src/combined/choice/warm"
import { CombinedRunnerMembers } from "../../src/combined/runner/members"
import { CombinedRunnerWarm } from "../../src/combined/runner/warm"
import type { SessionMessage } from "../../src/session/message"
import { answer, user } from "./route-sample"

const NOW = 1_000_000
const STICKINESS = 60_000

function answered(providerID: string, at: number, more: object = {}): SessionMessage.Assistant {
  const time = { created: DateTime.makeUnsafe(at - 1000), completed: DateTime.makeUnsafe(at) }
  return { ...answer(providerID, "glm-4.6", []), time, ...more }
}

test("the member that gave the last answer is asked first, as long as its cache is warm", () => {
  const answers = CombinedRunnerWarm.answers([user, answered("alpha", NOW - 70_000), answered("beta", NOW - 5000)])
  const warm = CombinedWarm.warm(answers, NOW, STICKINESS)
  const run = { ...CombinedRun.make(), warm }
  const wish = CombinedRunnerMembers.wish(run, [])
  expect(["alpha", "beta"].map((providerID) => wish.warm?.({ providerID, modelID: "glm-4.6" }))).toEqual([false, true])
})

test("an answer that failed or is not whole holds no cache", () => {
  const error = { type: "provider.unknown", message: "Overloaded" }
  const open = { time: { created: DateTime.makeUnsafe(NOW) } }
  expect(CombinedRunnerWarm.answers([answered("alpha", NOW, { error }), answered("beta", NOW, open)])).toEqual([])
})
