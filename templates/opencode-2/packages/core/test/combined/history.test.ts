import "./own-state"
import { expect, test } from "bun:test"
import { LLM } from "@opencode-ai/ai"
import { CombinedRun } from "../../src/combined/choice/run"
import { CombinedRunnerHistory } from "../../src/combined/runner/history"
import type { SessionMessage } from "../../src/session/message"
import { answer, marked, user } from "./route-sample"

const CLAUDE = "claude-sonnet-4-5"
const signed = { type: "reasoning", text: "Hm.", state: { signature: "s" } }
const open = { type: "reasoning", text: "Hm.", state: { reasoningField: "reasoning" } }
const call = { type: "tool", id: "call_1", name: "shell", state: { status: "completed" }, providerState: { item: "i" } }
const text = { type: "text", text: "Well." }

function read(sample: ReturnType<typeof marked>, message: SessionMessage.Assistant) {
  const [, found] = CombinedRunnerHistory.readable({ model: sample.resolved, messages: [user, message] })
  return found as SessionMessage.Assistant
}

test("the same Claude elsewhere gets signed thinking as its own", () => {
  const sample = marked("anthropic", CLAUDE)
  const found = read(sample, answer("elsewhere", CLAUDE, [signed, call]))
  expect(found.model).toEqual(sample.resolved.ref)
  expect(found.content).toMatchObject([signed, { type: "tool", id: "call_1" }])
})

test("another model gets no thoughts, and nothing of the account that made them", () => {
  const sample = marked("anthropic", CLAUDE)
  const found = read(sample, answer("elsewhere", "gpt-5", [signed, text, call]))
  expect(found.model.providerID).toBe("elsewhere" as never)
  expect(found.content.map((part) => part.type)).toEqual(["text", "tool"])
})

test("the thoughts of an open model stay thoughts", () => {
  const sample = marked("chat", "glm-4.6")
  const found = read(sample, answer("elsewhere", "glm-4.6", [open, call]))
  expect(found.model).toEqual(sample.resolved.ref)
  expect(found.content[0]).toMatchObject({ type: "reasoning", text: "Hm.", state: undefined })
  expect(found.content[1]).toMatchObject({ type: "tool", providerState: undefined })
})

test("a member that has refused its own thoughts gets the history without them", () => {
  const sample = marked("anthropic", CLAUDE)
  const { route } = sample
  const own = answer(route.member.providerID, CLAUDE, [signed, text])
  expect(read(sample, own)).toEqual(own)
  CombinedRun.forgo(route.run, route.member, "thinking")
  const found = read(sample, own)
  expect(found.content).toEqual([text] as never)
  expect(found.model.providerID).not.toBe(route.member.providerID)
})

test("a member that has refused a call's id gets one that everybody accepts", () => {
  const sample = marked("chat", "glm-4.6")
  const { route } = sample
  const own = answer(route.member.providerID, "glm-4.6", [{ ...call, id: "functions.shell:0" }])
  expect(read(sample, own).content[0]).toMatchObject({ id: "functions.shell:0" })
  CombinedRun.forgo(route.run, route.member, "calls")
  expect(read(sample, own).content[0]).toMatchObject({ id: expect.stringMatching(/^[a-zA-Z0-9]{9}$/) })
})

test("an entry of a chain says how warm its answers are", () => {
  const { route, resolved } = marked("chat", "glm-4.6")
  const request = LLM.request({ model: resolved.model, messages: [], tools: [] })
  const how = { options: { temperature: 0.2, top_p: 0.9 } }
  expect(CombinedRunnerHistory.tempered(request, { ...route.member, how }).generation).toMatchObject({
    temperature: 0.2,
    topP: 0.9,
  })
  expect(CombinedRunnerHistory.tempered(request, route.member)).toBe(request)
})
