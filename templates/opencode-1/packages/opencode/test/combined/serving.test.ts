import { expect, test } from "bun:test"
import { CombinedServing } from "@/combined/serving"

const status = (message: string, next = 0, sessionID = "ses_one") => ({
  type: "session.status",
  properties: { sessionID, status: { type: "retry", attempt: 1, message, next } },
})

test("a switch is one line, and says what the new member lacks", () => {
  const line = CombinedServing.switched("alpha", "429 Slow down", { providerID: "beta", variant: undefined })
  expect(line).toBe("Failover: alpha (429 Slow down), beta goes on")
  expect(CombinedServing.announced(status(line), "ses_one")).toBe(line)
  expect(CombinedServing.switched("alpha", "503", { providerID: "beta", variant: "high" })).toEndWith(
    "beta goes on without the variant high",
  )
})

test("a wait says how long it is", () => {
  const until = Date.now() + 20_000
  expect(CombinedServing.announced(status("Failover: all providers are out", until), "ses_one")).toMatch(
    /^Failover: all providers are out \(in (19|20) s\)$/,
  )
})

test("upstream's own waits and other sessions are not announced", () => {
  expect(CombinedServing.announced(status("Rate limited"), "ses_one")).toBeUndefined()
  expect(CombinedServing.announced(status("Failover: x", 0, "ses_two"), "ses_one")).toBeUndefined()
  expect(CombinedServing.announced({ type: "session.idle", properties: {} }, "ses_one")).toBeUndefined()
})
