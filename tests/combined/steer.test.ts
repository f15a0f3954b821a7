import { expect, test } from "bun:test"
import { CombinedSteer } from "@/combined/choice/steer"
import { parsed } from "@/combined/value"

const members = ["a", "b", "c"].map((providerID) => ({ providerID, modelID: "glm" }))
const providers = (...given: Parameters<typeof CombinedSteer.among>) =>
  CombinedSteer.among(...given).map((member) => member.providerID)

const machine = (more: Partial<CombinedSteer.Machine>) => ({ ...CombinedSteer.NOTHING, ...more })

test("without wishes everybody may be asked, in order", () => {
  expect(providers("glm", members)).toEqual(["a", "b", "c"])
})

test("a pin leaves one member, or all those of a provider", () => {
  expect(providers("glm", members, undefined, { pin: "b/glm" })).toEqual(["b"])
  const two = [...members, { providerID: "b", modelID: "glm-free" }]
  expect(providers("glm", two, undefined, { pin: "b" })).toEqual(["b", "b"])
})

test("a pin on a member of another model has no effect", () => {
  expect(providers("glm", members, undefined, { pin: "b/other" })).toEqual(["a", "b", "c"])
})

test("a skip leaves the others, and nobody if all are skipped", () => {
  expect(providers("glm", members, undefined, { skip: ["a/glm"] })).toEqual(["b", "c"])
  expect(providers("glm", members, undefined, { skip: ["a", "b", "c"] })).toEqual([])
})

test("off leaves the first, or the pinned one", () => {
  expect(providers("glm", members, undefined, { off: true })).toEqual(["a"])
  expect(providers("glm", members, undefined, { off: true, skip: ["a"] })).toEqual(["b"])
  expect(providers("glm", members, undefined, { off: true, pin: "c" })).toEqual(["c"])
})

test("the machine's wishes hold by combined model, and those of the session before them", () => {
  const pinned = machine({ pins: { glm: "b/glm" } })
  expect(providers("glm", members, pinned)).toEqual(["b"])
  expect(providers("kimi", members, pinned)).toEqual(["a", "b", "c"])
  expect(providers("glm", members, pinned, { pin: "c/glm" })).toEqual(["c"])
  expect(providers("glm", members, pinned, { skip: ["b"] })).toEqual(["a", "c"])
  expect(providers("glm", members, machine({ skips: ["a"] }))).toEqual(["b", "c"])
  expect(providers("glm", members, machine({ skips: ["a"] }), { pin: "a" })).toEqual(["a"])
})

test("it is known why a member is not asked", () => {
  const why = (index: number, steer: CombinedSteer.Steer) =>
    CombinedSteer.reason("glm", members, members[index], undefined, steer)
  expect(why(0, { pin: "b" })).toBe("pinned elsewhere")
  expect(why(1, { pin: "b" })).toBeUndefined()
  expect(why(0, { skip: ["a"] })).toBe("skipped")
  expect(why(1, { off: true })).toBe("off")
})

test("the newest wish counts: a pin ends a skip of the same member, and a skip a pin", () => {
  expect(CombinedSteer.pin({ skip: ["a", "b"] }, "a")).toEqual({ pin: "a", skip: ["b"] })
  expect(CombinedSteer.pin({ pin: "a", off: true }, undefined)).toEqual({ off: true })
  expect(CombinedSteer.skip({ pin: "a" }, "a", true)).toEqual({ skip: ["a"] })
  expect(CombinedSteer.skip({ pin: "b" }, "a", true)).toEqual({ pin: "b", skip: ["a"] })
  expect(CombinedSteer.skip({ skip: ["a", "b"] }, "a", false)).toEqual({ skip: ["b"] })
})

test("what is stored can be read, and anything else is left out", () => {
  const steer = { pin: "a/glm", skip: ["b"], off: true }
  expect(CombinedSteer.parse(CombinedSteer.stored(steer))).toEqual(steer)
  expect(CombinedSteer.stored({ skip: [], off: false })).toBeUndefined()
  expect(CombinedSteer.parse({ pin: 3, skip: ["a", 4], off: "yes" })).toEqual({ skip: ["a"] })
  expect(CombinedSteer.parse("off")).toEqual({})
})

test("the machine's wishes are read from the health file, and written there", () => {
  const wishes = { pins: { glm: "b/glm" }, skips: ["a"] }
  expect(
    CombinedSteer.machine(parsed(JSON.stringify({ version: 1, members: {}, ...CombinedSteer.plain(wishes) }))),
  ).toEqual(wishes)
  expect(CombinedSteer.machine(parsed("{"))).toEqual(CombinedSteer.NOTHING)
  expect(CombinedSteer.machine(parsed('{"steer":{"pins":{"glm":7},"skips":"a"}}'))).toEqual(CombinedSteer.NOTHING)
  expect(CombinedSteer.plain(CombinedSteer.NOTHING)).toEqual({})
})
