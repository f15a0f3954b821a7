import { describe, expect, test } from "bun:test"
import { CombinedMember } from "@/combined/member"

const plain = { free: false, quantisation: "", context: "", region: "", host: "", confidential: false }
const dated = { providerID: "acme", modelID: "glm-5-20260101", variant: plain }
const alias = { providerID: "acme", modelID: "glm-5", variant: plain }
const free = { providerID: "acme", modelID: "glm-5:free", variant: { ...plain, free: true } }
const european = { providerID: "acme", modelID: "eu.glm-5", variant: { ...plain, region: "eu" } }
const other = { providerID: "orion", modelID: "glm-5", variant: plain }
const members = [dated, alias, free, european, other]

describe("the members that a failure affects", () => {
  test("a limit counts for all names of one offer, not for other terms or providers", () => {
    expect(CombinedMember.alike(dated, members, { kind: "rate_limit", scope: "model" })).toEqual([dated, alias])
    expect(CombinedMember.alike(free, members, { kind: "overload", scope: "model" })).toEqual([free])
    expect(CombinedMember.alike(european, members, { kind: "rate_limit", scope: "model" })).toEqual([european])
  })

  test("nor for another model of the provider", () => {
    const [glm, air] = [
      { ...dated, identity: "glm-5" },
      { ...dated, modelID: "glm-5-air", identity: "glm-5-air" },
    ]
    expect(CombinedMember.alike(glm, [glm, air], { kind: "rate_limit", scope: "model" })).toEqual([glm])
  })

  test("a missing name does not affect the provider's other names", () => {
    expect(CombinedMember.alike(dated, members, { kind: "missing", scope: "model" })).toEqual([dated])
  })
})
