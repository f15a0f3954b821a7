import { expect, test } from "bun:test"
import type { CombinedHealthStore } from "@/combined/health/store"
import { CombinedBudget, type Budget } from "@/combined/money/budget"
import { CombinedLedger } from "@/combined/money/ledger"
import { CombinedWords } from "@/combined/money/words"

const NOON = new Date(2026, 10, 29, 12).getTime()
const HOUR = 3_600_000

const none = new Map<string, number>()
const spend = (dollars: number, providerID = "acme", session = "one") => ({ providerID, session, dollars })

const spent = (dollars: number, providerID?: string, session?: string) =>
  CombinedBudget.settle(CombinedBudget.EMPTY, "id", spend(dollars, providerID, session), NOON)

test("a request that fits the caps is sent, one that may break a cap is not", () => {
  const budget: Budget = { session: 2, day: 10, providers: new Map([["acme", 5]]) }
  const broken = (dollars: number, ledger = spent(1)) => CombinedBudget.broken(ledger, budget, spend(dollars), NOON)?.of
  expect(broken(1)).toBeUndefined()
  expect(broken(1.01)).toBe("session")
  expect(broken(1, spent(4.5, "acme", "two"))).toBe("provider")
  expect(broken(1, spent(9.5, "other", "two"))).toBe("day")
  expect(broken(0.5, spent(9.5, "other", "two"))).toBeUndefined()
})

test("what is held for requests under way counts, until it is replaced by what they cost", () => {
  const budget: Budget = { session: 2, providers: none }
  const held = CombinedBudget.hold(CombinedBudget.EMPTY, "first", spend(1.5), NOON)
  expect(CombinedBudget.broken(held, budget, spend(1), NOON)).toEqual({
    of: "session",
    providerID: "acme",
    limit: 2,
    spent: 0,
    held: 1.5,
    asked: 1,
  })
  const settled = CombinedBudget.settle(held, "first", spend(0.1), NOON)
  expect(CombinedBudget.broken(settled, budget, spend(1), NOON)).toBeUndefined()
  expect(settled.holds.size).toBe(0)
})

test("what a dead process held ends by itself", () => {
  const held = CombinedBudget.hold(CombinedBudget.EMPTY, "first", spend(1.5), NOON)
  const budget: Budget = { day: 2, providers: none }
  expect(CombinedBudget.broken(held, budget, spend(1), NOON + CombinedBudget.LEASE - 1)?.of).toBe("day")
  expect(CombinedBudget.broken(held, budget, spend(1), NOON + CombinedBudget.LEASE)).toBeUndefined()
  // Written before the clock was set back.
  expect(CombinedBudget.broken(held, budget, spend(1), NOON - 1)).toBeUndefined()
})

test("a day ends at local midnight, a session does not", () => {
  const tomorrow = new Date(2026, 10, 30, 0, 0, 1).getTime()
  const ledger = spent(2)
  expect(CombinedBudget.broken(ledger, { day: 2, providers: none }, spend(1), NOON)?.ends).toBe(
    new Date(2026, 10, 30).getTime(),
  )
  expect(CombinedBudget.broken(ledger, { day: 2, providers: none }, spend(1), tomorrow)).toBeUndefined()
  expect(CombinedBudget.broken(ledger, { session: 2, providers: none }, spend(1), tomorrow)?.of).toBe("session")
  const outside = { ...spend(2), session: undefined }
  const agent = CombinedBudget.settle(CombinedBudget.EMPTY, "id", outside, NOON)
  expect(CombinedBudget.broken(agent, { session: 1, providers: none }, spend(1), NOON)).toBeUndefined()
  expect(CombinedBudget.broken(agent, { session: 1, providers: none }, outside, NOON)).toBeUndefined()
})

test("a provider's cap knows it by any spelling", () => {
  const budget: Budget = { providers: new Map([["openrouter", 1]]) }
  expect(CombinedBudget.broken(spent(1, "Open-Router"), budget, spend(0.1, "openrouter"), NOON)?.of).toBe("provider")
  expect(CombinedBudget.broken(spent(1, "Open-Router"), budget, spend(0.1, "acme"), NOON)).toBeUndefined()
})

test("what is written is read again, and anything damaged is not", () => {
  const ledger = CombinedBudget.hold(spent(1.25), "second", spend(0.5), NOON)
  expect(CombinedBudget.parse(CombinedBudget.format(ledger))).toEqual(ledger)
  const text = CombinedBudget.format(ledger)
  for (const broken of [
    "",
    "{",
    "[]",
    "null",
    text.slice(0, -5),
    text.replace("1.25", "-1"),
    text.replace("1.25", '"1"'),
  ])
    expect(CombinedBudget.parse(broken)).toBeUndefined()
})

test("the file does not grow forever", () => {
  const days = Array.from({ length: 400 }, (_, day) => NOON + day * 24 * HOUR)
  const ledger = days.reduce(
    (made, now, day) => CombinedBudget.settle(made, "id", spend(0.1, "acme", `session-${day}`), now),
    CombinedBudget.EMPTY,
  )
  expect(ledger.days.size).toBeLessThan(5)
  expect(ledger.sessions.size).toBeLessThan(100)
})

/** A shelf in memory, whose lock another process may have. */
function shelf(at: { text: string | undefined; busy?: boolean; fails?: boolean }): CombinedHealthStore.Shelf {
  return {
    stamp: () => at.text,
    read: () => at.text,
    replace: (text) => {
      if (at.fails) throw new Error("read-only file system")
      at.text = text
    },
    alone: (act) => {
      if (at.busy) return false
      act()
      return true
    },
    until: (done) => void queueMicrotask(() => done(0)),
  }
}

test("processes with one file share a budget", () => {
  const at = { text: undefined }
  const [one, other] = [CombinedLedger.open(shelf(at)), CombinedLedger.open(shelf(at))]
  const budget: Budget = { day: 1, providers: none }
  expect(one.hold("a", spend(0.8), budget)?.type).toBe("held")
  expect(other.hold("b", spend(0.8), budget)?.type).toBe("broken")
  one.settle("a", spend(0.1))
  expect(other.hold("b", spend(0.8), budget)?.type).toBe("held")
})

test("nothing is decided while another process has the file, and a cost is written as soon as it is free", async () => {
  const at: Parameters<typeof shelf>[0] = { text: undefined }
  const ledger = CombinedLedger.open(shelf(at))
  const budget: Budget = { day: 1, providers: none }
  expect(ledger.hold("a", spend(0.6), budget)?.type).toBe("held")
  at.busy = true
  expect(ledger.hold("b", spend(0.1), budget)).toBeUndefined()
  ledger.settle("a", spend(0.5))
  at.busy = false
  await Promise.resolve()
  expect(ledger.hold("b", spend(0.5), budget)?.type).toBe("held")
})

test("a damaged file starts anew, which is said once", () => {
  const at = { text: "{" }
  const ledger = CombinedLedger.open(shelf(at))
  expect(ledger.hold("a", spend(1), { day: 1, providers: none })?.type).toBe("held")
  expect(ledger.problem()).toContain("damaged")
  expect(ledger.problem()).toBeUndefined()
  expect(ledger.hold("b", spend(1), { day: 1, providers: none })?.type).toBe("broken")
})

test("where nothing can be written, the process counts for itself", () => {
  const ledger = CombinedLedger.open(shelf({ text: undefined, fails: true }))
  expect(ledger.hold("a", spend(1), { day: 1, providers: none })?.type).toBe("held")
  expect(ledger.problem()).toContain("read-only")
  expect(ledger.hold("b", spend(1), { day: 1, providers: none })?.type).toBe("broken")
})

/** Requests begin and end in any order: what was spent and is held never passes the cap, if estimates hold. */
test("no order of requests passes the cap", () => {
  const random = (seed: number) => () => (seed = (seed * 48271) % 2147483647) / 2147483647
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed)
    const at = { text: undefined }
    const ledgers = Array.from({ length: 4 }, () => CombinedLedger.open(shelf(at), () => NOON))
    const budget: Budget = { session: 3, day: 5, providers: new Map([["acme", 4]]) }
    const open: { id: string; asked: ReturnType<typeof spend> }[] = []
    const total = { spent: 0, acme: 0, one: 0 }
    for (let step = 0; step < 120; step++) {
      const ledger = ledgers[Math.floor(next() * ledgers.length)]
      if (next() < 0.5 || !open.length) {
        const asked = spend(next(), next() < 0.5 ? "acme" : "other", next() < 0.5 ? "one" : "two")
        if (ledger.hold(`${seed}-${step}`, asked, budget)?.type === "held") open.push({ id: `${seed}-${step}`, asked })
        continue
      }
      const [{ id, asked }] = open.splice(Math.floor(next() * open.length), 1)
      const dollars = asked.dollars * next()
      ledger.settle(id, { ...asked, dollars })
      total.spent += dollars
      if (asked.providerID === "acme") total.acme += dollars
      if (asked.session === "one") total.one += dollars
    }
    expect(total.spent).toBeLessThanOrEqual(5)
    expect(total.acme).toBeLessThanOrEqual(4)
    expect(total.one).toBeLessThanOrEqual(3)
  }
})

test("a cap is named with what was spent, what is held, and when it ends", () => {
  const cap = CombinedBudget.broken(
    CombinedBudget.hold(spent(1.6), "id", spend(0.25), NOON),
    { day: 2, providers: none },
    spend(0.3),
    NOON,
  )
  expect(cap && CombinedWords.bar({ providerID: "acme", modelID: "glm" }, cap)).toEqual({
    providerID: "acme",
    modelID: "glm",
    message:
      "not asked: it may cost $0.30, and combined.budget.day is $2.00 ($1.60 spent today, $0.25 held for requests under way)",
    help: "The cap of combined.budget.day ends at 2026-11-30 00:00:00; or raise it.",
  })
})
