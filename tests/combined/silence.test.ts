import { expect, test } from "bun:test"
import type { CombinedDecide } from "@/combined/turn/decide"
import { CombinedSilence } from "@/combined/turn/silence"

const SILENCE = { lost: 300_000, alive: 900_000 }
const SETTINGS: CombinedDecide.Settings = { kinds: undefined, maxAttempts: 2, firstToken: SILENCE, stall: SILENCE }

test("a silent member is abandoned only for another one, and only if silence switches", () => {
  const look = (more: Partial<Parameters<typeof CombinedSilence.lookAgain>[0]>) =>
    CombinedSilence.lookAgain({ settings: SETTINGS, silence: 900_000, lost: 0, started: false, others: true, ...more })
  expect(look({})).toBeUndefined()
  expect(look({ others: false })).toBe(1000)
  expect(look({ silence: 899_000 })).toBe(1000)
  expect(look({ settings: { ...SETTINGS, kinds: ["rate_limit"] } })).toBe(60_000)
})

test("a member that shows no sign of life is abandoned earlier, one that thinks is not", () => {
  const look = (silence: number, lost: number, others = true) =>
    CombinedSilence.lookAgain({ settings: SETTINGS, silence, lost, started: true, others })
  expect(look(300_000, 300_000)).toBeUndefined()
  expect(look(300_000, 300_000, false)).toBe(1000)
  expect(look(299_000, 299_000)).toBe(1000)
  expect(look(899_000, 30_000)).toBe(1000)
  expect(look(600_000, 30_000)).toBe(60_000)
})
