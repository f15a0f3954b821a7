import { expect, test } from "bun:test"
import { CombinedRules } from "@opencode-ai/core/combined/failure/rules"
import { CombinedRunnerFailure } from "@opencode-ai/core/combined/runner/failure"
import {
  HttpContext,
  HttpRequestDetails,
  HttpResponseDetails,
  InvalidProviderOutputReason,
  LLMError,
  LLMEvent,
  UnknownProviderReason,
} from "@opencode-ai/llm"

const NOW = Date.parse("2026-03-01T12:00:00Z")

/** What the second API's client raises for an answer with an error status. */
const refused = (status: number, body: string, headers: Record<string, string> = {}) =>
  new LLMError({
    module: "RequestExecutor",
    method: "execute",
    reason: new UnknownProviderReason({
      message: "Provider request failed",
      http: new HttpContext({
        request: new HttpRequestDetails({ method: "POST", url: "https://provider.test/v1", headers: {} }),
        response: new HttpResponseDetails({ status, headers }),
        body,
      }),
    }),
  })

const read = (error: Parameters<typeof CombinedRunnerFailure.read>[0], own = CombinedRules.own([])) =>
  CombinedRunnerFailure.read(error, own, NOW)

test("the second API reads failures by the same table", () => {
  const body = { error: { code: "1308", message: "Usage limit reached. Your limit will reset at 2026-03-01 21:00:00" } }
  expect(read(refused(429, JSON.stringify(body)))).toMatchObject({
    kind: "quota",
    about: "plan",
    message: "429 Usage limit reached. Your limit will reset at 2026-03-01 21:00:00",
    retryAfter: 3_600_000,
  })
})

test("the user's rows come first in the second API too", () => {
  const own = CombinedRules.own([{ words: ["Out of Tea"], class: "quota", scope: "account" }])
  expect(read(refused(418, '{"error":{"message":"we are out of tea"}}'), own)).toMatchObject({ kind: "quota" })
  expect(read(refused(418, '{"error":{"message":"we are out of tea"}}'))).toMatchObject({ kind: "unknown" })
  expect(read(LLMEvent.providerError({ message: "We are out of tea" }), own)).toMatchObject({ kind: "quota" })
})

test("an error event that upstream's decoder does not know is read; an event with the model's words is not", () => {
  const invalid = (raw: unknown) =>
    new LLMError({
      module: "ProviderShared",
      method: "stream",
      reason: new InvalidProviderOutputReason({ message: "Invalid stream event", raw: JSON.stringify(raw) }),
    })
  const event = { choices: null, base_resp: { status_code: 2056, status_msg: "usage limit exceeded" } }
  expect(read(invalid(event))).toMatchObject({ kind: "quota", message: "usage limit exceeded" })
  expect(read(invalid({ choices: [{ delta: { content: "insufficient_quota" } }], id: 7 })).kind).not.toBe("quota")
})
