import { describe, expect, test } from "bun:test"
import { readFileSync } from "fs"
import path from "path"
import { CombinedFailure } from "@/combined/failure/classify"

type Refusal = { readonly who: string; readonly status: number; readonly kinds: string; readonly body: unknown }

/**
 * How providers refuse, one a line: their status (0 for an event inside an answer), their body, and the kinds that it may be
 * put into. Status, codes and structure are the vendors' own, from their references and from public reports.
 */
const refusals = readFileSync(path.join(import.meta.dir, "refusals.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line): Refusal => JSON.parse(line))

const NOW = Date.parse("2026-11-28T10:00:00Z")

/** As the AI SDK raises a refusal, and as it passes on an event inside an answer. */
const classify = (status: number, body: unknown, responseHeaders: Record<string, string> = {}) =>
  status
    ? CombinedFailure.fault(
        {
          name: "AI_APICallError",
          message: "Bad Request",
          statusCode: status,
          responseHeaders,
          requestBodyValues: { messages: "rate limit, overloaded, content_filter: words of the user's own" },
          responseBody: typeof body === "string" ? body : JSON.stringify(body),
        },
        NOW,
      )
    : CombinedFailure.fault("what the SDK says of it", NOW, { inside: { event: body } })

const failure = (...refusal: Parameters<typeof classify>) => {
  const found = classify(...refusal)
  if (!CombinedFailure.cools(found)) throw new Error(`${found.kind} does not blame the member`)
  return found
}

describe("each vendor's refusal gets the right kind", () => {
  for (const { who, status, body, kinds } of refusals)
    test(`${who}: ${status || "event"} ${JSON.stringify(body).slice(0, 60)} is ${kinds}`, () =>
      expect(kinds.split("|")).toContain(classify(status, body).kind))
})

test("an event that the SDK cannot read may name the cause itself", () => {
  const error = { name: "AI_TypeValidationError", message: "Invalid input: expected array, received null" }
  const said = (status_code: number) => ({
    event: { choices: null, base_resp: { status_code, status_msg: "refused" } },
  })
  expect(CombinedFailure.fault(error, NOW, { inside: said(1002) }).kind).toBe("rate_limit")
  expect(CombinedFailure.fault(error, NOW, { inside: said(9999) }).kind).toBe("server")
})

test("an unknown failure does not end the turn at once: it is neither a refusal of the content nor an invalid request", () => {
  for (const status of [400, 404, 409, 418, 422, 428, 431])
    for (const body of ["", "no", "<html>", "{", { error: "E1" }, { error: { message: "Kaputt" } }, [], { ok: false }])
      expect(["final", "too_long"]).not.toContain(classify(status, body).kind)
})

describe("whom it holds back", () => {
  for (const [what, status, body, scope] of [
    ["a spent account", 429, { error: { code: "billing_not_active" } }, "provider"],
    ["a spent day of one model", 429, { message: "Too many tokens per day, please wait" }, "model"],
    ["a country that is not served", 400, { error: { message: "User location is not supported" } }, "provider"],
    ["a model that is not there", 401, { error: { type: "ModelError", message: "Model x is not supported" } }, "model"],
    ["a refusal without words", 403, "", "provider"],
  ] as const)
    test(what, () => expect(classify(status, body)).toMatchObject({ scope }))
})

describe("for how long", () => {
  const after = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    failure(status, body, headers).retryAfter

  test("Anthropic's plans name the end of a window in a header of their own", () => {
    const headers = {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": `${NOW / 1000 + 9000}`,
    }
    expect(after(429, { error: { type: "rate_limit_error" } }, headers)).toBe(9_000_000)
    expect(after(429, {}, { ...headers, "anthropic-ratelimit-unified-status": "allowed" })).toBeUndefined()
  })
  test("OpenRouter repeats its headers in the body", () => {
    const limit = { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": `${NOW + 60_000}` }
    expect(after(429, { error: { code: 429, message: "Too many", metadata: { headers: limit } } })).toBe(60_000)
  })
  test("Google sends a pause along with a limit of a day, which is no end of it; a long one is", () => {
    const spent = (quotaId: string, retryDelay: string) => ({
      error: {
        code: 429,
        message: `You exceeded your current quota. Please retry in ${retryDelay}.`,
        status: "RESOURCE_EXHAUSTED",
        details: [{ violations: [{ quotaId }] }, { retryDelay }],
      },
    })
    expect(after(429, spent("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "34.07s"))).toBeUndefined()
    expect(after(429, spent("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "7985.3s"))).toBe(7_985_300)
    expect(after(429, spent("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "34.07s"))).toBe(34_070)
  })
  test("Z.ai's dates name no zone and are Beijing's; another one's are not guessed", () => {
    const message = "Your limit will reset at 2026-11-28 20:00:00"
    expect(after(429, { error: { code: "1308", message } })).toBe(2 * 3_600_000)
    expect(after(429, { error: { code: "usage_limit_reached", message } })).toBeUndefined()
  })
  test("a used-up limit does not matter for a server error, a wrong key or a missing name", () => {
    const headers = { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6h0m0s" }
    for (const status of [500, 401, 404]) expect(after(status, { error: { message: "no" } }, headers)).toBeUndefined()
    expect(after(429, { error: { message: "no" } }, headers)).toBe(6 * 3_600_000)
  })
  test("but a Retry-After applies to each", () => expect(after(500, {}, { "retry-after": "7" })).toBe(7000))
})

test("a provider's side that gives up is a timeout; a user's cancel interrupts the turn and never comes here", () => {
  for (const error of [
    new DOMException("Provider response headers timed out after 10000ms", "AbortError"),
    new Error("fetch failed", { cause: new DOMException("The operation was aborted.", "AbortError") }),
  ])
    expect(CombinedFailure.fault(error, NOW)).toMatchObject({ kind: "timeout", scope: "model" })
})

test("more than the limit per minute is a rate limit, marked as too long if no other member is left", () => {
  const body = {
    error: { code: "rate_limit_exceeded", message: "Request too large on tokens per minute (TPM): Limit 8000" },
  }
  expect(classify(413, body)).toMatchObject({ kind: "rate_limit", long: true })
  expect(failure(429, { error: { message: "Rate limit reached. Please try again in 2s." } }).long).toBeUndefined()
})

test("the words of a message take precedence over the status line's, and a model's own output is not read", () => {
  expect(classify(400, { error: { message: "The model has crashed" } }).message).toBe("400 The model has crashed")
  const said = { error: { code: "tool_use_failed", message: "Failed", failed_generation: "insufficient_quota" } }
  expect(classify(400, said).kind).toBe("server")
})

test("only the last attempt of a retry counts", () => {
  const last = { statusCode: 529, message: "Overloaded" }
  const error = {
    name: "AI_RetryError",
    message: "Failed after 3 attempts",
    errors: [{ statusCode: 401 }, last],
    lastError: last,
  }
  expect(CombinedFailure.fault(error, NOW)).toMatchObject({ kind: "overload", status: 529 })
})

test("the member is asked without what it refuses of a history", () => {
  for (const [message, forgo] of [
    ["Invalid `signature` in `thinking` block", "thinking"],
    ["The encrypted content gAAA...Rg== could not be verified.", "items"],
    ["Item with id 'rs_1' not found.", "items"],
    ["Tool call id was call_abc but must be a-z, A-Z, 0-9, with a length of 9.", "calls"],
  ] as const)
    expect(classify(400, { error: { message } })).toMatchObject({ kind: "history", forgo })
})

test("the host may know that a conversation is too long even if no rule does", () => {
  const error = { statusCode: 400, message: "no" }
  expect(CombinedFailure.fault(error, NOW, { overflow: true }).kind).toBe("too_long")
  expect(CombinedFailure.fault({ ...error, statusCode: 429 }, NOW, { overflow: true }).kind).toBe("rate_limit")
})

test("a limit that any request may meet does not say that this one is too long", () => {
  const body = { error: { message: "Rate limit reached", code: "rate_limit_exceeded" } }
  const limited = { statusCode: 429, message: "Rate limit reached", responseBody: JSON.stringify(body) }
  expect(CombinedFailure.fault(limited)).not.toHaveProperty("long")
  expect(CombinedFailure.fault({ ...limited, statusCode: 413 })).toMatchObject({ kind: "rate_limit", long: true })
})

describe("what is shown is the vendor's sentence, never a piece of data", () => {
  const raw = JSON.stringify({ error: { message: "Slow down, please" } })
  for (const [what, body, shown] of [
    [
      "inside OpenRouter's metadata",
      { error: { message: "Provider returned error", metadata: { raw } } },
      "Slow down, please",
    ],
    ["behind a gateway's words", { error: { message: `litellm.RateLimitError: X - ${raw}` } }, "Slow down, please"],
    [
      "as Python writes it",
      "Error code: 429 - {'error': {'message': 'Slow down, please', 'type': 'x'}}",
      "Slow down, please",
    ],
    ["in a stream", `event: error\ndata: ${raw}\n\n`, "Slow down, please"],
    ["in a list", [{ error: { code: 429, message: "Slow down, please" } }], "Slow down, please"],
    ["cut off", '{"error":{"message":"Slow down, please","details":[{"a', "Slow down, please"],
    ["in Chinese", { error: { code: "1302", message: "请求过于频繁" } }, "请求过于频繁"],
    ["of a page", "<html><head><title>503 Busy</title></head></html>", "503 Busy"],
    ["with controls", { error: { message: "Slow\u001b[31m down\u0000,\u202e please" } }, "Slow[31m down, please"],
  ] as const)
    test(what, () => expect(classify(429, body).message.replace(/^429 /, "")).toBe(shown))

  const sdk = { name: "AI_TypeValidationError", message: 'Type validation failed: Value: {"error":1}' }
  for (const [what, event] of [
    ["in an exception frame of Bedrock", { throttlingException: { message: "Slow down, please" } }],
    ["in an error object of Google's stream", { error: { code: 429, message: "Slow down, please", status: "X" } }],
    ["in MiniMax' base_resp", { choices: null, base_resp: { status_code: 1002, status_msg: "Slow down, please" } }],
    ["with a string code", { error: { message: "Slow down, please", type: null, code: "429" } }],
    ["in plain JSON of a gateway", { success: false, code: 1302, msg: "Slow down, please" }],
    ["in a failed response", { type: "response.failed", response: { error: { message: "Slow down, please" } } }],
    [
      "inside OpenRouter's metadata in a stream",
      { error: { code: 502, metadata: { raw }, message: "Provider error" } },
    ],
  ] as const)
    test(`${what}, whatever the SDK makes of it`, () =>
      expect(CombinedFailure.fault(sdk, NOW, { inside: { event } }).message.replace(/^\d{3} /, "")).toBe(
        "Slow down, please",
      ))
  for (const [what, body] of [
    ["with keys in capitals", { Response: { Error: { Code: "RequestLimitExceeded", Message: "Slow down, please" } } }],
    ["in a header object", { header: { code: 11202, message: "Slow down, please", sid: "x" } }],
    ["in a list of errors", { errors: [{ code: "x", message: "Slow down, please" }], trace: "t", status_code: 429 }],
    ["as text", "Slow down, please"],
    ["as a JSON string", '"Slow down, please"'],
    [
      "behind a page",
      { error: { message: "XException - <!DOCTYPE html>\n<html><head><title>Slow down, please</title>" } },
    ],
    ["as Rust prints it", 'Error { code: "Throttling", message: "Slow down, please" }'],
  ] as const)
    test(what, () => expect(classify(429, body).message.replace(/^429 /, "")).toBe("Slow down, please"))
})

test("whatever a provider sends, reading it is bounded, and what is kept is short and clean", () => {
  const deep = `${'{"error":'.repeat(5000)}1${"}".repeat(5000)}`
  const wide = { error: Array.from({ length: 50_000 }, (_, index) => ({ message: `m${index}`, code: `c${index}` })) }
  for (const body of [
    "x".repeat(50_000_000),
    `{"message":"${"a ".repeat(25_000_000)}"}`,
    deep,
    wide,
    "\u0000".repeat(1e6),
  ]) {
    const { message } = classify(400, body)
    expect(message.length).toBeLessThan(200)
    expect(message).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
  }
}, 120_000)
