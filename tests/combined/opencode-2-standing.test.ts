import { describe, expect, test } from "bun:test"
import { CombinedRunnerLabel } from "../../templates/opencode-2/packages/core/src/combined/runner/label"
import { CombinedRunnerStanding } from "../../templates/screen/standing"

const text = { type: "text" }
const tool = (status: string, executed?: boolean) => ({ type: "tool", executed, state: { status } })

describe("what stays of a message of OpenCode 2 whose step starts again", () => {
  test("nothing, if no tool has started", () => {
    expect(CombinedRunnerStanding.of([text, { type: "reasoning" }, tool("streaming")])).toEqual([])
  })

  test("tools that have started, and what was said before the last of them", () => {
    const content = [text, tool("completed"), tool("streaming"), tool("running"), text, tool("error"), text]
    expect(CombinedRunnerStanding.of(content)).toEqual([text, tool("completed"), tool("running"), text, tool("error")])
  })

  test("not what the provider has run itself", () => {
    expect(CombinedRunnerStanding.of([text, tool("completed", true)])).toEqual([])
  })
})

test("the provider is shown where some models are combined", () => {
  const served = { providerID: "beta", id: "glm" }
  expect(CombinedRunnerLabel.suffix(served, [served])).toBe("")
  expect(CombinedRunnerLabel.suffix(served, [served, { providerID: "combined", id: "glm" }])).toBe(" (beta)")
})
