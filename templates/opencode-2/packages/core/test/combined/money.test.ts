import "./own-state"
import { expect, test } from "bun:test"
import { LLM } from "@opencode-ai/ai"
import { Effect } from "effect"
import { CombinedRunnerAttempt } from "../../src/combined/runner/attempt"
import { CombinedRunnerMembers } from "../../src/combined/runner/members"
import { CombinedRunnerMoney } from "../../src/combined/runner/money"
import { CombinedRunnerQuestion } from "../../src/combined/runner/question"
import type { CombinedSettings } from "../../src/combined/settings"
import { marked } from "./route-sample"

function asked(combined: CombinedSettings.Info["combined"], answer: "yes" | "no" = "no") {
  const questions: string[] = []
  const sample = marked("chat", "glm-4.6", combined)
  const put = (session: string) => Effect.sync(() => (questions.push(session), answer))
  const route = { ...sample.route, put }
  const { resolved } = sample
  const attempt = CombinedRunnerAttempt.make()
  const request = LLM.request({ model: resolved.model, messages: [], tools: [] })
  return { route, attempt, request, questions, admit: CombinedRunnerMoney.admit(route, attempt, request) }
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

test("with ask, the session's user is asked once, whoever asks", async () => {
  const first = asked({ metered: "ask" }, "no")
  const other = asked({ metered: "ask" }, "yes")
  const bars = await Effect.runPromise(first.admit)
  expect(bars.map((bar) => bar.providerID)).toEqual(first.route.members.map((member) => member.providerID))
  expect(bars[0].help).toContain("--auto")
  expect(await Effect.runPromise(other.admit)).toEqual([])
  const again = CombinedRunnerMoney.admit(first.route, first.attempt, first.request)
  expect((await Effect.runPromise(again)).length).toBe(2)
  expect([first.questions, other.questions]).toEqual([[await Effect.runPromise(first.route.root)], expect.any(Array)])
})

test("a rule of the configuration answers instead, if it is for this very permission", () => {
  const { ruled } = CombinedRunnerQuestion
  expect(ruled([{ action: "*", effect: "allow" }])).toBeUndefined()
  expect(ruled([{ action: "metered", effect: "allow" }])).toBe("yes")
  expect(ruled([{ action: "metered", effect: "deny" }])).toBe("no")
  expect(ruled([{ action: "metered", effect: "ask" }])).toBeUndefined()
})

test("opencode run says no, or yes with --auto, and leaves other forms alone", async () => {
  const [name] = asked({}).route.members
  const request = { ...CombinedRunnerQuestion.form("ses_1", name), id: "frm_1" }
  const replies: boolean[] = []
  const forms = {
    reply: async ({ answer }: { readonly answer: { readonly allow: boolean } }) => void replies.push(answer.allow),
  }
  expect(await CombinedRunnerQuestion.answered(forms, request, false)).toBe(true)
  expect(await CombinedRunnerQuestion.answered(forms, request, true)).toBe(true)
  expect(await CombinedRunnerQuestion.answered(forms, { id: "frm_2", sessionID: "ses_1" }, true)).toBe(false)
  expect(replies).toEqual([false, true])
  expect(CombinedRunnerQuestion.read({ status: "cancelled" })).toBe("no")
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
