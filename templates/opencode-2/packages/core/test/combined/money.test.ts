import { expect, test } from "bun:test"
import { LLM } from "@opencode-ai/ai"
import { Effect } from "effect"
import { CombinedRunnerAttempt } from "../../src/combined/runner/attempt"
import { CombinedRunnerMembers } from "../../src/combined/runner/members"
import { CombinedRunnerMoney } from "../../src/combined/runner/money"
import type { CombinedSettings } from "../../src/combined/settings"
import { marked } from "./route-sample"

function asked(combined: CombinedSettings.Info["combined"]) {
  const { route, resolved } = marked("chat", "glm-4.6", combined)
  const attempt = CombinedRunnerAttempt.make()
  const request = LLM.request({ model: resolved.model, messages: [], tools: [] })
  return { route, attempt, admit: CombinedRunnerMoney.admit(route, attempt, request) }
}

test("without a rule everybody may be asked", async () => {
  const { route, attempt, admit } = asked({})
  expect(route.member.terms?.bar).toBeUndefined()
  expect(await Effect.runPromise(admit)).toEqual([])
  expect(attempt.hold).toBeUndefined()
})

test("with never, the request is not made, and the error says why", async () => {
  const { route } = asked({ metered: "never" })
  expect(route.member.terms).toMatchObject({
    priceClass: "metered",
    bar: { message: expect.stringContaining("never") },
  })
  const error = await Effect.runPromise(Effect.flip(CombinedRunnerMembers.begin(route, "step")))
  expect(error.reason.message).toContain("combined.metered")
})

test("with ask, nobody is asked here, and no member that bills is left", async () => {
  const { route, admit } = asked({ metered: "ask" })
  expect((await Effect.runPromise(admit)).map((bar) => bar.providerID)).toEqual(
    route.members.map((member) => member.providerID),
  )
})

test("what a request may cost is held, and replaced by what it has cost", async () => {
  const { attempt, admit } = asked({ budget: { session: 10 } })
  expect(await Effect.runPromise(admit)).toEqual([])
  expect(attempt.hold?.spend.dollars).toBeGreaterThan(0)
  await Effect.runPromise(CombinedRunnerMoney.pay(attempt, []))
  expect(attempt.hold).toBeUndefined()
})

test("a request that may break the cap is not made", async () => {
  const { attempt, admit } = asked({ budget: { session: 0.01 } })
  const [bar] = await Effect.runPromise(admit)
  expect(bar.message).toContain("combined.budget.session is $0.01")
  expect(attempt.hold).toBeUndefined()
})
