import { expect, test } from "bun:test"
import { CombinedProgress } from "@/combined/turn/progress"

test("an answer begins with the first event of the model", () => {
  const progress = CombinedProgress.make()
  expect(CombinedProgress.note(progress, [{ type: "step-start" }])).toBe(false)
  expect(progress).toMatchObject({ phase: "request", firstToken: undefined })
  expect(CombinedProgress.note(progress, [{ type: "text-delta" }, { type: "step-finish" }])).toBe(true)
  expect(progress.phase).toBe("text")
  expect(progress.firstToken).toBeNumber()
})

test("silence lasts until the model says something, over several pulls", () => {
  const progress = { ...CombinedProgress.make(), silent: 500 }
  CombinedProgress.note(progress, [{ type: "step-start" }])
  expect(CombinedProgress.silence(progress)).toBe(500)
  progress.pulling = performance.now() - 1000
  expect(CombinedProgress.silence(progress)).toBeGreaterThanOrEqual(1500)
  CombinedProgress.note(progress, [{ type: "tool-call" }])
  expect(progress).toMatchObject({ phase: "tool", silent: 0, pulling: undefined })
})
