import { expect, test } from "bun:test"
import { CombinedFailure } from "../../templates/combined/failure/classify"
import { CombinedRedact } from "../../templates/combined/failure/redact"

for (const [text, shown] of [
  ["Incorrect API key provided: sk-proj-abc123DEF456ghi789.", "Incorrect API key provided: [redacted]."],
  ["header Authorization: Bearer abcdefgh12345678 was refused", "header Authorization: Bearer [redacted] was refused"],
  ['{"x-api-key": "0123456789abcdef"}', '{"x-api-key": "[redacted]"}'],
  ["GET https://me:hunter2hunter2@host.test/v1 failed", "GET https://[redacted]@host.test/v1 failed"],
  ["POST /v1beta/models/x:stream?key=AbCdEf012345&alt=sse", "POST /v1beta/models/x:stream?key=[redacted]&alt=sse"],
  ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc is expired", "token [redacted] is expired"],
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
