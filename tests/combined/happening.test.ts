import { expect, test } from "bun:test"
import { CombinedNotice } from "@/combined/turn/notice"
import { CombinedHappening } from "@/combined/view/happening"

const NOW = new Date(2026, 5, 1, 14, 0).getTime()
const alpha = { providerID: "alpha", modelID: "glm" }
const beta = { providerID: "beta", modelID: "glm" }
const subject = {
  combined: "glm-4-6",
  nameOf: (id: string) => ({ alpha: "Alpha Cloud", beta: "Beta Router" })[id] ?? id,
  now: NOW,
}

const part = (happening: CombinedHappening.Happening) => ({
  type: "retry",
  sessionID: "ses_one",
  error: CombinedHappening.error(happening),
})

test("a switch says who, why and when, by the providers' names", () => {
  const moved = CombinedHappening.moved(subject, alpha, beta, "429 Slow down")
  expect(moved).toMatchObject({ action: "moved", from: "alpha/glm", to: "beta/glm", reason: "429 Slow down", at: NOW })
  expect(CombinedHappening.line(moved, NOW)).toBe("14:00 Alpha Cloud (429 Slow down), Beta Router takes over")
  const other = CombinedHappening.moved(subject, alpha, beta, "503", { variant: "high", model: "Kimi" })
  expect(other.message).toEndWith("Beta Router takes over with a different model, Kimi without the variant high")
})

test("a repeat says that the same provider is asked again", () => {
  expect(CombinedHappening.repeated(subject, alpha, "Overloaded").message).toBe("Alpha Cloud (Overloaded), retrying")
})

test("a start without a provider says until when and why", () => {
  const left = CombinedHappening.leftOut(subject, alpha, beta, { kind: "rate_limit", until: NOW + 300_000 })
  expect(left.message).toBe("Alpha Cloud unavailable until 14:05 (rate limit), using Beta Router")
  const other = CombinedHappening.leftOut(subject, alpha, beta, { kind: "rate_limit", until: NOW + 300_000 }, "Kimi")
  expect(other.message).toEndWith("using Beta Router with a different model, Kimi")
})

test("a stored part can be read, and other parts are none of ours", () => {
  const moved = CombinedHappening.moved(subject, alpha, beta, "a\u0007b")
  expect(CombinedHappening.of(part(moved))).toEqual({ ...moved, reason: "a\\x07b" })
  expect(CombinedHappening.of({ type: "text" })).toBeUndefined()
  expect(CombinedHappening.of({ type: "retry", error: { name: "APIError", data: { message: "x" } } })).toBeUndefined()
  expect(CombinedHappening.of({ type: "retry" })).toBeUndefined()
})

test("run prints that a session starts without a provider; who takes over it prints from the status", () => {
  const event = (happening: CombinedHappening.Happening) => ({
    type: "message.part.updated",
    properties: { part: part(happening) },
  })
  const left = CombinedHappening.leftOut(subject, alpha, beta, { kind: "quota", until: NOW })
  expect(CombinedNotice.announced(event(left), "ses_one")).toBe(left.message)
  expect(CombinedNotice.announced(event(left), "ses_two")).toBeUndefined()
  expect(CombinedNotice.announced(event(CombinedHappening.repeated(subject, alpha, "x")), "ses_one")).toBeUndefined()
})
