import { expect, test } from "bun:test"
import { CombinedNotice } from "@/combined/turn/notice"

const status = (message: string, next = 0, sessionID = "ses_one") => ({
  type: "session.status",
  properties: { sessionID, status: { type: "retry", attempt: 1, message, next } },
})

test("a switch is one line, and says what the new member lacks", () => {
  const line = CombinedNotice.switched("alpha", "429 Slow down", { providerID: "beta", variant: undefined })
  expect(line).toBe("Failover: alpha (429 Slow down), beta takes over")
  expect(CombinedNotice.announced(status(line), "ses_one")).toBe(line)
  expect(CombinedNotice.switched("alpha", "503", { providerID: "beta", variant: "high" })).toEndWith(
    "beta takes over without the variant high",
  )
})

test("a wait says how long it is", () => {
  const until = Date.now() + 20_000
  expect(CombinedNotice.announced(status("Failover: all providers are unavailable", until), "ses_one")).toMatch(
    /^Failover: all providers are unavailable \(in (19|20) s\)$/,
  )
})

test("upstream's own waits and other sessions are not announced", () => {
  expect(CombinedNotice.announced(status("Rate limited"), "ses_one")).toBeUndefined()
  expect(CombinedNotice.announced(status("Failover: x", 0, "ses_two"), "ses_one")).toBeUndefined()
  expect(CombinedNotice.announced({ type: "session.idle", properties: {} }, "ses_one")).toBeUndefined()
})
