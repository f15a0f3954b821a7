import { expect, test } from "bun:test"
import { CombinedRun } from "@/combined/choice/run"
import { CombinedMember } from "@/combined/member"

const alpha = { providerID: "alpha", modelID: "m" }
const beta = { providerID: "beta", modelID: "m" }

test("after one that said it is too long, another with as much room may hold it, one with less may not", () => {
  const run = CombinedRun.make()
  expect(CombinedRun.mayHold(run, beta, 1000)).toBe(true)
  run.tooLong.set(CombinedMember.key(alpha), 200_000)
  expect(CombinedRun.mayHold(run, beta, 200_000)).toBe(true)
  expect(CombinedRun.mayHold(run, beta, 199_999)).toBe(false)
  expect(CombinedRun.mayHold(run, alpha, 200_000)).toBe(false)
})

test("what a member refused of the history is that member's alone", () => {
  const run = CombinedRun.make()
  CombinedRun.forgo(run, alpha, "thinking")
  CombinedRun.forgo(run, alpha, "calls")
  expect([...CombinedRun.forgone(run, alpha)]).toEqual(["thinking", "calls"])
  expect(CombinedRun.forgone(run, beta).size).toBe(0)
})
