import "./own-state"
import { afterEach, expect, test } from "bun:test"
import { Effect } from "effect"
import { mkdirSync, rmSync, writeFileSync } from "fs"
import path from "path"
import { CombinedHealthFile } from "../../src/combined/host/health-file"
import { CombinedRunnerMembers } from "../../src/combined/runner/members"
import { marked } from "./route-sample"

afterEach(() => rmSync(CombinedHealthFile.FILE, { force: true }))

/** Writes what `opencode-patcher health pin` and `skip` write. */
function steer(wanted: { readonly pins?: Record<string, string>; readonly skips?: readonly string[] }) {
  mkdirSync(path.dirname(CombinedHealthFile.FILE), { recursive: true })
  writeFileSync(CombinedHealthFile.FILE, JSON.stringify({ version: 1, steer: { pins: {}, skips: [], ...wanted } }))
}

test("a member that the user skips on this machine is left for the next one, also in a turn that has begun", async () => {
  const { route } = marked("chat", "glm-4.6")
  const [first, second] = route.members
  expect(CombinedRunnerMembers.allowed(route)).toEqual([first, second])
  steer({ skips: [first.providerID] })
  expect(CombinedRunnerMembers.allowed(route)).toEqual([second])
  expect(await Effect.runPromise(CombinedRunnerMembers.begin(route, "step"))).toBe(false)
})

test("of a pinned model nobody else is asked, and an error says so", async () => {
  const { route } = marked("chat", "glm-4.6")
  const [first, second] = route.members
  steer({ pins: { [route.id]: first.providerID } })
  expect(CombinedRunnerMembers.others(route, "step")).toBe(false)
  expect(CombinedRunnerMembers.exhausted(route)).toContain(`${second.providerID}/${second.modelID}`)
})

test("where all are skipped nobody is asked", async () => {
  const { route } = marked("chat", "glm-4.6")
  steer({ skips: route.members.map((member) => member.providerID) })
  const error = await Effect.runPromise(Effect.flip(CombinedRunnerMembers.begin(route, "step")))
  expect(error.reason.message).toContain("opencode-patcher health")
})
