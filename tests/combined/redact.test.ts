import { expect, test } from "bun:test"
import { CombinedFailure } from "../../templates/combined/failure/classify"
import { CombinedRedact } from "../../templates/combined/failure/redact"
import { CombinedNotice } from "../../templates/combined/turn/notice"

for (const [text, shown] of [
  ["Incorrect API key provided: sk-proj-abc123DEF456ghi789.", "Incorrect API key provided: [redacted]."],
  ["header Authorization: Bearer abcdefgh12345678 was refused", "header Authorization: Bearer [redacted] was refused"],
  ['{"x-api-key": "0123456789abcdef"}', '{"x-api-key": "[redacted]"}'],
  ["GET https://me:hunter2hunter2@host.test/v1 failed", "GET https://[redacted]@host.test/v1 failed"],
  ["POST /v1beta/models/x:stream?key=AbCdEf012345&alt=sse", "POST /v1beta/models/x:stream?key=[redacted]&alt=sse"],
  ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc is expired", "token [redacted] is expired"],
  ["id my-token-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc is expired", "id [redacted] is expired"],
  ["AKIAIOSFODNN7EXAMPLE is not authorized", "[redacted] is not authorized"],
  ["Model xai-grok-4-fast, sk-1 and hf-llama are not keys", "Model xai-grok-4-fast, sk-1 and hf-llama are not keys"],
  ["max tokens: 200000 exceeded by task-force-alpha-bravo", "max tokens: 200000 exceeded by task-force-alpha-bravo"],
] as const)
  test(`keys are hidden, and nothing else: ${text.slice(0, 40)}`, () => {
    expect(CombinedRedact.redact(text)).toBe(shown)
    expect(CombinedRedact.redact(shown)).toBe(shown)
  })

test("sent secrets are hidden in any form", () => {
  const secrets = CombinedRedact.sent("https://u:p%40ssw0rd9@host.test/?api_key=querykey1&model=gpt-5.1-codex", [
    ["authorization", "Basic dXNlcjpzZWNyZXQ="],
    ["x-goog-api-key", "plain key/with+signs"],
    ["content-type", "application/json; charset"],
  ])
  for (const secret of ["p@ssw0rd9", "p%40ssw0rd9", "querykey1", "plain%20key%2Fwith%2Bsigns", "dXNlcjpzZWNyZXQ"])
    expect(CombinedRedact.redact(`said ${secret}!`, secrets)).not.toContain(secret)
  expect(CombinedRedact.redact("gpt-5.1-codex takes application/json", secrets)).toBe(
    "gpt-5.1-codex takes application/json",
  )
})

test("a failure reveals no key, wherever it is in the error", () => {
  const body = JSON.stringify({
    error: { message: "Incorrect API key provided: sk-abcdefghijklmnop", code: "invalid_api_key" },
  })
  const error = Object.assign(new Error("Unauthorized"), { statusCode: 401, responseBody: body })
  const found = CombinedFailure.fault(error)
  expect(found.kind).toBe("auth")
  expect(JSON.stringify(found)).not.toContain("abcdefgh")
})

test("all that an error holds loses what was sent, and it stays the error that it was", () => {
  class Refused extends Error {
    readonly statusCode = 401
    readonly url = "https://me:s3cret-of-mine@host.test/v1"
    readonly responseHeaders = { "x-echo": "s3cret-of-mine" }
    readonly requestBodyValues = { messages: ["My own words: s3cret-of-mine"] }
    readonly data: Record<string, unknown> = { error: { "s3cret-of-mine": [1, null, "s3cret-of-mine"] } }
  }
  const error = new Refused("no: s3cret-of-mine", { cause: new Error("inner s3cret-of-mine") })
  error.data.self = error.data
  const { requestBodyValues } = error
  const found = CombinedRedact.within(error, ["s3cret-of-mine"])

  expect(found).toBe(error)
  expect(found).toBeInstanceOf(Refused)
  expect(error.requestBodyValues).toBe(requestBodyValues)
  const { url, responseHeaders, message, cause } = error
  expect(JSON.stringify([url, responseHeaders, message, String(cause)])).not.toContain("s3cret-of-mine")
  expect(error.data.error).toEqual({ "[redacted]": [1, null, "[redacted]"] })
})

test("what is plain data is copied, and nothing in it is too deep to be looked at", () => {
  const event = { error: { message: "key s3cret-of-mine", __proto__: null }, at: new Date(0) }
  expect(CombinedRedact.within(event, ["s3cret-of-mine"])).toEqual({
    error: { message: "key [redacted]" },
    at: event.at,
  })
  expect(event.error.message).toContain("s3cret-of-mine")

  const nested: { inner?: unknown } = {}
  Array.from({ length: 10_000 }).reduce((at: { inner?: unknown }) => (at.inner = {}), nested)
  const deep = JSON.parse("[".repeat(10_000) + '"s3cret-of-mine"' + "]".repeat(10_000))
  for (const value of [nested, deep])
    expect(JSON.stringify(CombinedRedact.within(value, ["s3cret-of-mine"]))).not.toContain("s3cret-of-mine")
})

test("a long text of beginnings of tokens is read in no time to speak of", () => {
  for (const end of ["", ".x", ".x."]) expect(CombinedRedact.redact("-eyJ".repeat(250_000) + end)).toContain("eyJ")
})

test("what a provider says cannot steer a terminal", () => {
  const said = CombinedFailure.describe({ message: "\u001b]0;title\u0007 red\u202eder\u200b", statusCode: 503 })
  expect(said).toMatch(/^503 [\x20-\x7e]+$/)
  const line = CombinedNotice.switched("a\u001b[2Jb", "\u001b[2J", { providerID: "c\nd", variant: "\u009b" })
  expect(line).toBe("Failover: a\\x1b[2Jb (\\x1b[2J), c\\nd takes over without the variant \\x9b")
})
