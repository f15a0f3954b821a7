import { expect, test } from "bun:test"
import { CombinedProbes } from "@/combined/health/probes"

const NOW = 1_000_000
const one = {}
const other = {}

test("one request at a time tests", () => {
  const probes = CombinedProbes.make()
  expect(probes.claim(["acme/glm"], one, NOW)).toBe(true)
  expect(probes.claim(["acme/", "acme/glm"], other, NOW)).toBe(false)
  expect(probes.taken(["acme/"], other, NOW)).toBe(false)
  expect(probes.taken(["acme/glm"], other, NOW)).toBe(true)
  expect(probes.taken(["acme/glm"], one, NOW)).toBe(false)
})

test("a healthy member is not reserved", () => {
  const probes = CombinedProbes.make()
  expect(probes.claim([], one, NOW)).toBe(true)
  expect(probes.claim([], other, NOW)).toBe(true)
})

test("the end of the request, whatever it is, lets the next one try", () => {
  const probes = CombinedProbes.make()
  probes.claim(["acme/glm", "acme/"], one, NOW)
  probes.release(one)
  expect(probes.claim(["acme/glm", "acme/"], other, NOW)).toBe(true)
  probes.release(one)
  expect(probes.taken(["acme/glm"], one, NOW)).toBe(true)
})

test("a mark that is not removed expires, even if the clock is set back", () => {
  const probes = CombinedProbes.make()
  probes.claim(["acme/glm"], one, NOW)
  expect(probes.taken(["acme/glm"], other, NOW + 59_999)).toBe(true)
  expect(probes.taken(["acme/glm"], other, NOW + 60_000)).toBe(false)
  expect(probes.taken(["acme/glm"], other, NOW - 1)).toBe(false)
})
