import { describe, expect, test } from "bun:test"
import { CombinedFinish } from "@/combined/failure/finish"

const nothing: CombinedFinish.Seen = { said: false, called: false, cut: false, blocked: undefined }
const said = { ...nothing, said: true }
const called = { ...nothing, called: true }
const cut = { ...nothing, cut: true }

type Unified = CombinedFinish.Reason["unified"]

const read = (unified: Unified, raw: string | undefined, seen: CombinedFinish.Seen) =>
  CombinedFinish.read({ unified, raw }, seen).unified

for (const [what, unified, raw, seen, expected] of [
  ["no reason", "other", undefined, said, "other"],
  ["no reason, but a prompt that was refused", "other", undefined, { ...nothing, blocked: "SAFETY" }, "content-filter"],
  ["a call that was announced and not made", "tool-calls", "tool_calls", nothing, "stop"],
  ["a call that was made", "tool-calls", "tool_calls", called, "tool-calls"],
  ["words before a call that was not made, which upstream asks about", "tool-calls", "tool_calls", said, "tool-calls"],
  ["a reason that the SDK knows", "length", "length", said, "length"],
  ["a call without arguments", "tool-calls", "tool_calls", cut, "tool-calls"],
  ["a call that is cut by the length", "length", "length", cut, "error"],
  ["a call that is cut by the line", "other", "network_error", cut, "error"],
  ["a call behind which the SDK hides what the provider says", "tool-calls", "network_error", called, "error"],
  ["Responses' own word for a cut call", "tool-calls", undefined, called, "tool-calls"],
] as const)
  test(`${what}: ${expected}`, () => expect(read(unified, raw, seen)).toBe(expected))

describe("a word that says complete ends an answer", () => {
  for (const raw of ["eos", "eos_token", "end_turn", "stop_sequence", "COMPLETE", "completed", "STOP", "finished"]) {
    test(`${raw}: stop`, () => expect(read("other", raw, said)).toBe("stop"))
    test(`${raw} after a call: the tool runs`, () => expect(read("other", raw, called)).toBe("tool-calls"))
  }
})

describe("a word that says that the length was reached is one", () => {
  for (const raw of ["max_tokens", "MAX_TOKENS", "max_output_tokens", "model_length", "token_limit"])
    test(raw, () => expect(read("other", raw, said)).toBe("length"))
})

describe("a word that says that the content was refused is a refusal", () => {
  for (const raw of [
    "sensitive",
    "content_filtered",
    "SAFETY",
    "PROHIBITED_CONTENT",
    "guardrail_intervened",
    "IMAGE_SAFETY",
  ])
    test(raw, () => expect(read("other", raw, said)).toBe("content-filter"))
})

// Whatever comes to be invented: behind half an answer only what says "complete" is believed.
describe("any other word is a broken answer", () => {
  for (const raw of [
    "network_error",
    "error_finish",
    "error",
    "abort",
    "insufficient_system_resource",
    "malformed_model_output",
    "MALFORMED_RESPONSE",
    "OTHER",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "LANGUAGE",
    "FINISH_REASON_UNSPECIFIED",
    "timeout",
    "zorp",
  ]) {
    test(raw, () => expect(read("other", raw, said)).toBe("error"))
    test(`${raw}, so no call of it is whole`, () =>
      expect(CombinedFinish.isComplete({ unified: "other", raw })).toBe(false))
  }
})

test("an incomplete call is passed on only if the answer is complete", () => {
  const whole = (unified: Unified, raw?: string) => CombinedFinish.isComplete({ unified, raw })
  expect([
    whole("tool-calls", "tool_calls"),
    whole("stop", "stop"),
    whole("tool-calls"),
    whole("other", "eos"),
  ]).toEqual(Array(4).fill(true))
  expect([whole("length", "length"), whole("error"), whole("other"), whole("tool-calls", "network_error")]).toEqual(
    Array(4).fill(false),
  )
})
