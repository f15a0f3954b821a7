/** What an attempt has heard explains an end of which upstream says less. */
import { expect, test } from "bun:test"
import { CombinedRunnerAttempt } from "../../src/combined/runner/attempt"
import type { CombinedDecide } from "../../src/combined/turn/decide"

const unfinished: CombinedDecide.End = { kind: "shortcoming", lacks: "finish", message: "no finish" }
const vague: CombinedDecide.End = { kind: "unknown", scope: "model", message: "X" }

const explained = (
  end: CombinedDecide.End,
  heard: Partial<Pick<CombinedRunnerAttempt.Attempt, "told" | "refused">>,
): CombinedDecide.End => CombinedRunnerAttempt.explained({ ...CombinedRunnerAttempt.make(), ...heard }, end, [])

const overloaded = { told: { event: { error: { code: 503, message: "The model is overloaded." } } } }
const limited = {
  refused: {
    error: Object.assign(new Error("X"), {
      statusCode: 429,
      responseHeaders: { "retry-after": "90" },
      responseBody: '{"error": {"message": "Rate limit reached"}}',
    }),
  },
}

test("an event that upstream's decoder ignores tells why an answer has no end", () => {
  expect(explained(unfinished, overloaded)).toMatchObject({ kind: "overload" })
  expect(explained(unfinished, {})).toEqual(unfinished)
})

test("an error of the AI SDK tells its status, and when to ask again", () => {
  expect(explained(vague, limited)).toMatchObject({ kind: "rate_limit", retryAfter: 90_000 })
})

test("an end that is clear stays", () => {
  for (const end of [
    { kind: "whole" },
    { kind: "timeout", scope: "model", message: "silent", silent: true },
    { kind: "too_long", message: "too long" },
  ] satisfies CombinedDecide.End[])
    expect(explained(end, { ...limited, ...overloaded })).toEqual(end)
})

test("a key that a provider repeats is not kept", () => {
  const said = { ...vague, message: "The key a-recognisable-key of sk-12345678 is wrong" } satisfies CombinedDecide.End
  const end = CombinedRunnerAttempt.explained(
    { ...CombinedRunnerAttempt.make(), secrets: ["a-recognisable-key"] },
    said,
    [],
  )
  expect(end).toMatchObject({ message: "The key [redacted] of [redacted] is wrong" })
})
