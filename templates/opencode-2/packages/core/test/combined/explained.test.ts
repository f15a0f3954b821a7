/** What an attempt has heard explains an end of which upstream says less. */
import { expect, test } from "bun:test"
import { Effect, Stream } from "effect"
import { CombinedRunnerAttempt } from "../../src/combined/runner/attempt"
import { CombinedHeard } from "../../src/combined/runner/upstream/llm"
import type { CombinedDecide } from "../../src/combined/turn/decide"
import { marked } from "./route-sample"

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

/** A message of one of Amazon's event streams: lengths, a checksum, headers, the payload, a checksum. */
function message(headers: Readonly<Record<string, string>>, payload: string) {
  const text = new TextEncoder()
  const head = Object.entries(headers).flatMap(([name, value]) => [
    name.length,
    ...text.encode(name),
    7,
    0,
    value.length,
    ...text.encode(value),
  ])
  const bytes = new Uint8Array([...new Uint8Array(12), ...head, ...text.encode(payload), ...new Uint8Array(4)])
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length)
  view.setUint32(4, head.length)
  return bytes
}

test("an exception in one of Amazon's event streams tells why the answer has no end, however it is cut into chunks", async () => {
  const headers = { ":exception-type": "throttlingException", ":message-type": "exception" }
  const bytes = message(headers, '{"message": "Too many requests, please wait before trying again."}')
  const attempt = CombinedRunnerAttempt.make()
  const { route } = marked("chat", "explained")
  const answer = Stream.fromEffect(
    Effect.map(Effect.service(CombinedHeard.Current), (listener) => {
      listener?.headers({ "content-type": "application/vnd.amazon.eventstream" })
      listener?.chunk(bytes.slice(0, 50))
      listener?.chunk(bytes.slice(50))
    }),
  )
  await Effect.runPromise(Stream.runDrain(CombinedRunnerAttempt.listen(attempt, route, answer)))
  expect(explained(unfinished, attempt)).toMatchObject({ kind: "rate_limit" })
})
