import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { CombinedDecide } from "@/combined/turn/decide"
import { type Law, LAWS, type Policy, POLICY, search } from "./laws"

const SAMPLE = 3000

// A busy machine takes its time.
setDefaultTimeout(120_000)

test("the laws of a turn hold over random outcomes", () => {
  expect(search(SAMPLE, 1)).toBeUndefined()
})

const decide = (change: (verdict: CombinedDecide.Verdict, facts: CombinedDecide.Facts) => unknown): Policy["decide"] =>
  ((facts: CombinedDecide.Facts) => change(CombinedDecide.decide(facts), facts)) as Policy["decide"]

/** For each law a policy that breaks it. */
const broken: Record<Law, Partial<Policy>> = {
  "no finished tool runs again": {
    decide: decide((verdict) => (verdict.type === "move" ? { ...verdict, keep: false } : verdict)),
  },
  "every answer ends": {
    start: (facts) => (facts.until === undefined ? CombinedDecide.start(facts) : { type: "move" }),
  },
  "a member is asked three times at most": {
    after: (facts, verdict) => (verdict.type === "move" ? facts.answer : CombinedDecide.after(facts, verdict)),
  },
  "a model that refused is not asked again": {
    after: (facts, verdict) => ({ ...CombinedDecide.after(facts, verdict), refused: undefined }),
  },
  "an answer takes a stated number of requests at most": {
    decide: decide((verdict) =>
      verdict.type === "end" ? { type: "again", pause: 0, forgo: undefined, keep: false } : verdict,
    ),
  },
  "a wait has an end": {
    decide: decide((verdict) => (verdict.type === "wait" ? { ...verdict, for: Infinity, until: Infinity } : verdict)),
  },
  "a wait ends when it was said to end": {
    decide: decide((verdict) => (verdict.type === "wait" ? { ...verdict, until: verdict.until + 5000 } : verdict)),
  },
  "an answer waits for a limited time in all": {
    start: ({ now }) => ({
      type: "wait",
      for: CombinedDecide.LONGEST_WAIT,
      until: now + CombinedDecide.LONGEST_WAIT,
      long: false,
    }),
  },
  "no wait ends in the quiet hours": {
    decide: ((facts: CombinedDecide.Facts) => {
      const wait = facts.settings.wait && { max: facts.settings.wait.max }
      return CombinedDecide.decide({ ...facts, settings: { ...facts.settings, wait } })
    }) as Policy["decide"],
  },
  "a turn does not give up while one returns soon": {
    decide: decide((verdict, facts) =>
      verdict.type === "wait" && facts.answer.waits.length >= 3 ? { type: "end", error: "all", keep: false } : verdict,
    ),
  },
  "a cancel ends at once": { cancelled: () => "go on" },
  "nothing is left after a run": {
    after: (facts, verdict) => (verdict.type === "end" ? facts.answer : CombinedDecide.after(facts, verdict)),
  },
}

describe("a policy that breaks a law is noticed:", () => {
  for (const law of LAWS)
    test(law, () => {
      const laws = new Set<Law>()
      for (let seed = 1; seed < SAMPLE && !laws.has(law); seed += 50) {
        const found = search(50, seed, { ...POLICY, ...broken[law] })
        if (found) laws.add(found.law)
      }
      expect([...laws]).toContain(law)
    })
})
