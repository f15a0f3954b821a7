import { describe, expect, test } from "bun:test"
import { APICallError, LoadAPIKeyError, RetryError } from "ai"
import { CombinedFailure } from "@/combined/failure/classify"
import { OpenAIWebSocket } from "@/plugin/openai/ws"
import { ProviderError } from "@/provider/error"
import { MessageV2 } from "@/session/message-v2"
import { SessionRetry } from "@/session/retry"
import { ProviderV2 } from "@opencode-ai/core/provider"

const NOW = Date.parse("2026-03-01T12:00:00Z")

const classify = (error: unknown) => CombinedFailure.fault(error, NOW)

/** What the AI SDK raises for an answer with an error status. */
const refused = (
  statusCode: number | undefined,
  body: unknown = {},
  responseHeaders: Record<string, string> = {},
  message = "Request failed",
) =>
  new APICallError({
    message,
    url: "https://provider.test/v1/chat/completions",
    requestBodyValues: { prompt: "overloaded, rate limit, insufficient_quota: words of the user's own" },
    statusCode,
    responseHeaders,
    responseBody: typeof body === "string" ? body : JSON.stringify(body),
    isRetryable: false,
  })

/** What bun's fetch and the system raise. */
const broken = (code: string, message = "it broke") => Object.assign(new Error(message), { code })

/** How the AI SDK passes on what fetch raised. */
const unreached = (cause: Error) =>
  new APICallError({
    message: `Cannot connect to API: ${cause.message}`,
    url: "https://provider.test/v1",
    requestBodyValues: {},
    cause,
    isRetryable: true,
  })

const table: readonly (readonly [string, unknown, CombinedFailure.Kind, CombinedFailure.Scope])[] = [
  ["429", refused(429, { error: { message: "Rate limit reached for requests" } }), "rate_limit", "model"],
  [
    "429 that is a spent quota (OpenAI)",
    refused(429, { error: { code: "insufficient_quota", message: "You exceeded your current quota" } }),
    "quota",
    "provider",
  ],
  [
    "429 of a spent free tier (Zen)",
    refused(429, { type: "error", error: { type: "FreeUsageLimitError", message: "Free usage exceeded" } }),
    "quota",
    "provider",
  ],
  [
    "400 that is an empty balance (Anthropic)",
    refused(400, {
      type: "error",
      error: { type: "invalid_request_error", message: "Your credit balance is too low to access the Anthropic API." },
    }),
    "quota",
    "provider",
  ],
  [
    "429 of a limit per minute that is called a quota (Vertex)",
    refused(429, {
      error: {
        code: 429,
        status: "RESOURCE_EXHAUSTED",
        message: "Quota exceeded for aiplatform.googleapis.com/online_prediction_tokens_per_minute_per_base_model",
      },
    }),
    "rate_limit",
    "model",
  ],
  [
    "413 of a limit per minute (Groq)",
    refused(413, { error: { code: "rate_limit_exceeded", message: "Request too large on tokens per minute (TPM)" } }),
    "rate_limit",
    "model",
  ],
  [
    "429 of a spent plan (ChatGPT)",
    refused(429, { error: { type: "usage_limit_reached", message: "The usage limit has been reached" } }),
    "quota",
    "provider",
  ],
  [
    "429 that is an empty balance (Z.ai)",
    refused(429, { error: { code: "1113", message: "Insufficient balance or no resource package." } }),
    "quota",
    "provider",
  ],
  [
    "429 that is an empty balance (Moonshot)",
    refused(429, { error: { type: "exceeded_current_quota_error", message: "Your account is suspended" } }),
    "quota",
    "provider",
  ],
  [
    "400 that is an expired key (Google)",
    refused(400, {
      error: {
        code: 400,
        message: "API key expired. Please renew the API key.",
        status: "INVALID_ARGUMENT",
        details: [{ reason: "API_KEY_INVALID" }],
      },
    }),
    "auth",
    "provider",
  ],
  [
    "400 that is a wrong key (xAI)",
    refused(400, { code: "Client specified an invalid argument", error: "Incorrect API key provided: ab***cd." }),
    "auth",
    "provider",
  ],
  ["a login that is not renewed (ChatGPT)", new Error("Token refresh failed: 401"), "auth", "provider"],
  ["a login that cannot be renewed now (ChatGPT)", new Error("Token refresh failed: 503"), "server", "model"],
  ["a login that is not renewed (xAI)", new Error("xAI token refresh failed (400): invalid_grant"), "auth", "provider"],
  [
    "a login that is over (AWS)",
    Object.assign(new Error("The SSO session associated with this profile has expired."), {
      name: "CredentialsProviderError",
    }),
    "auth",
    "provider",
  ],
  ["no login (Google Cloud)", new Error("Could not load the default credentials."), "auth", "provider"],
  ["no key", new LoadAPIKeyError({ message: "OpenAI API key is missing." }), "auth", "provider"],
  [
    "403 for one model (Bedrock)",
    refused(403, { message: "You don't have access to the model with the specified model ID." }),
    "missing",
    "model",
  ],
  ["302 that leads nowhere", refused(302), "server", "model"],
  ["402 without a word (Copilot)", refused(402, ""), "quota", "provider"],
  ["401", refused(401, { error: { message: "Incorrect API key provided" } }), "auth", "provider"],
  ["403", refused(403, { error: { message: "Access denied" } }), "auth", "provider"],
  ["404", refused(404, { error: { message: "The model does not exist" } }), "missing", "model"],
  ["410", refused(410, { error: { message: "This model was retired" } }), "missing", "model"],
  ["408", refused(408), "timeout", "model"],
  ["503", refused(503, "Service Unavailable"), "overload", "model"],
  ["529 (Anthropic)", refused(529, { type: "error", error: { type: "overloaded_error" } }), "overload", "model"],
  ["500", refused(500, { error: { message: "Internal server error" } }), "server", "model"],
  ["502 with a proxy's page", refused(502, "<html><body>Bad Gateway</body></html>"), "server", "model"],
  ["504", refused(504, ""), "timeout", "model"],
  ["520 (Cloudflare)", refused(520, ""), "server", "provider"],
  ["connection refused", unreached(broken("ConnectionRefused")), "network", "provider"],
  ["host unknown", unreached(broken("ENOTFOUND", "getaddrinfo ENOTFOUND api.test")), "network", "provider"],
  ["DNS busy", broken("EAI_AGAIN"), "network", "provider"],
  ["connection reset", broken("ECONNRESET"), "network", "provider"],
  ["expired certificate", unreached(broken("CERT_HAS_EXPIRED")), "network", "provider"],
  ...["DEPTH_ZERO_SELF_SIGNED_CERT", "CERT_NOT_YET_VALID", "TooManyRedirects", "ENETDOWN", "InvalidHTTPResponse"].map(
    (code) => [code, unreached(broken(code)), "network", "provider"] as const,
  ),
  [
    "cut line, by bun's words alone",
    new Error("The socket connection was closed unexpectedly. For more information, pass `verbose: true`"),
    "network",
    "provider",
  ],
  ["cut line, by undici's word", new TypeError("terminated"), "network", "provider"],
  ["connection timeout", broken("ETIMEDOUT"), "timeout", "model"],
  ["timed out fetch", new DOMException("The operation timed out.", "TimeoutError"), "timeout", "model"],
  [
    "upstream's own timeout for the answer's head",
    Object.assign(new Error("Provider response headers timed out after 10000ms"), {
      name: "ProviderHeaderTimeoutError",
    }),
    "timeout",
    "model",
  ],
  // Inside a stream that began with status 200
  [
    "event: overloaded (Anthropic)",
    { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    "overload",
    "model",
  ],
  ["event: overloaded, as text", '{"type":"error","error":{"type":"overloaded_error"}}', "overload", "model"],
  ["event: api_error (Anthropic)", { type: "error", error: { type: "api_error", message: "Oops" } }, "server", "model"],
  [
    "event: server_error (OpenAI)",
    { type: "error", error: { type: "server_error", code: "server_error", message: "The server had an error" } },
    "server",
    "model",
  ],
  [
    "event: rate_limit_exceeded (OpenAI)",
    { type: "error", error: { code: "rate_limit_exceeded", message: "Rate limit reached" } },
    "rate_limit",
    "model",
  ],
  ["event: RESOURCE_EXHAUSTED (Google)", { error: { status: "RESOURCE_EXHAUSTED", code: 429 } }, "rate_limit", "model"],
  ["event: a status as a number (OpenRouter)", { code: 502, message: "Provider disconnected" }, "server", "model"],
  [
    "event: insufficient_quota (OpenAI)",
    { type: "error", error: { code: "insufficient_quota", message: "You exceeded your current quota" } },
    "quota",
    "provider",
  ],
  [
    "event: response.failed (OpenAI)",
    { type: "response.failed", response: { error: { code: "server_error", message: "An error occurred" } } },
    "server",
    "model",
  ],
  ["event: a plain word", "Overloaded", "overload", "model"],
  ["event: too quick (Alibaba)", "Request rate increased too quickly", "rate_limit", "model"],
]

describe("a failure that another provider may cure", () => {
  for (const [name, error, kind, scope] of table) {
    test(name, () => expect(classify(error)).toMatchObject({ kind, scope }))
    test(`${name}, as the last error of a retry`, () =>
      expect(
        classify(new RetryError({ message: "Failed after 3 attempts", reason: "maxRetriesExceeded", errors: [error] })),
      ).toMatchObject({ kind, scope }))
    test(`${name}, as a cause`, () =>
      expect(classify(new Error("stream failed", { cause: error }))).toMatchObject({ kind, scope }))
  }
})

const innocent: readonly (readonly [string, unknown, CombinedFailure.Fault["kind"]])[] = [
  [
    "a request that nobody knows the fault of",
    refused(400, { error: { type: "invalid_request_error", message: "bad schema" } }),
    "unknown",
  ],
  [
    "a request whose text speaks of limits",
    refused(400, { error: { message: "rate limit must be a number" } }),
    "unknown",
  ],
  ["a request that is too large", refused(413, { error: { message: "request entity too large" } }), "too_long"],
  [
    "a request that cannot be processed",
    refused(422, { error: { message: "tools.0.name: Field required" } }),
    "unknown",
  ],
  [
    "a tool's schema that is invalid",
    refused(400, { error: { code: "invalid_function_parameters", message: "Invalid schema for function 'x'" } }),
    "final",
  ],
  [
    "a refusal of the content",
    refused(400, { error: { code: "content_policy_violation", message: "refused" } }),
    "final",
  ],
  [
    "a refusal of the content (OpenRouter)",
    refused(403, { error: { code: 403, message: "Your input was flagged for violence.", metadata: { reasons: [] } } }),
    "final",
  ],
  ["a programming error", new TypeError("undefined is not a function"), "unknown"],
  ["nothing", undefined, "unknown"],
  ["an empty object", {}, "unknown"],
]

describe("a failure that says nothing against the member", () => {
  for (const [name, error, kind] of innocent) test(name, () => expect(classify(error).kind).toBe(kind))
})

test("a header timeout of upstream's web socket is a timeout of the provider, as it is over plain fetch", async () => {
  const given = new AbortController()
  given.abort(new ProviderError.HeaderTimeoutError(10_000))
  const error = await OpenAIWebSocket.connectResponsesWebSocket({
    url: "ws://127.0.0.1:9",
    headers: {},
    signal: AbortSignal.any([given.signal]),
  }).then(
    () => undefined,
    (raised: unknown) => raised,
  )
  expect(error).toMatchObject({ name: "AbortError" })
  expect(classify(error)).toMatchObject({ kind: "timeout" })
  expect(classify(new ProviderError.HeaderTimeoutError(10_000))).toMatchObject({ kind: "timeout" })
})

const inside: readonly [string, unknown, unknown, CombinedFailure.Fault["kind"]][] = [
  ["words that no rule knows", "Upstream request failed", { error: { message: "Upstream request failed" } }, "server"],
  [
    "a status that the SDK leaves out",
    "Provider returned error",
    { error: { message: "Provider returned error", code: 429 } },
    "rate_limit",
  ],
  [
    "a class that the SDK leaves out (Bedrock)",
    { message: "Too many tokens, please wait." },
    { throttlingException: { message: "Too many tokens, please wait." } },
    "rate_limit",
  ],
  [
    "a broken model (Bedrock)",
    { message: "Try again" },
    { modelStreamErrorException: { message: "Try again" } },
    "server",
  ],
  [
    "fault with the request (Bedrock)",
    { message: "tools.0 is missing" },
    { validationException: { message: "tools.0 is missing" } },
    "unknown",
  ],
  [
    "fault with the request (OpenAI)",
    { type: "error", error: { code: "invalid_prompt", message: "Invalid prompt" } },
    { type: "error", error: { code: "invalid_prompt", message: "Invalid prompt" } },
    "final",
  ],
  [
    "fault with the request, by its status",
    "No such tool",
    { error: { message: "No such tool", code: 400 } },
    "unknown",
  ],
  ["a refusal of the content", "Blocked by our usage policy", { error: { message: "Blocked" } }, "final"],
  ["an SDK that shows no events", "It broke", undefined, "unknown"],
  ["a provider's side that gave up", new DOMException("Aborted", "AbortError"), undefined, "timeout"],
]

describe("an error event inside an answer", () => {
  for (const [name, error, event, kind] of inside)
    test(name, () => expect(CombinedFailure.fault(error, NOW, { inside: { event } }).kind).toBe(kind))
  test("shows the SDK's words, and the time of the event", () => {
    const event = { error: { type: "usage_limit_reached", message: "Limit reached", resets_in_seconds: 7200 } }
    expect(CombinedFailure.fault("Limit reached", NOW, { inside: { event } })).toMatchObject({
      message: "Limit reached",
      retryAfter: 7_200_000,
    })
  })
})

const retried: readonly (readonly [string, unknown])[] = [
  ...table.map(([name, error]) => [name, error] as const),
  ["a compressed answer that is broken", broken("ZlibError", "Decompression error: ZlibError")],
  ["upstream's timeout for the head", new ProviderError.HeaderTimeoutError(10_000)],
  ["upstream's timeout between chunks", new ProviderError.ResponseStreamError("SSE read timed out")],
  ["a web socket that closed", new ProviderError.ResponseStreamError("WebSocket closed before response.completed")],
  ["a web socket's frame", new ProviderError.ResponseStreamError("Unexpected binary WebSocket frame")],
  ["event: too many requests", '{"type":"error","error":{"type":"too_many_requests"}}'],
  ["event: exhausted", '{"code":"resource_exhausted","message":"no more"}'],
  ["event: unavailable", '{"code":"unavailable","message":"not now"}'],
]

// A retry in upstream's way sends the old request again, so the tools that had finished would run again.
describe("a failure for which upstream would ask the same provider again is one here too", () => {
  const asksAgain = retried.filter(([, error]) => {
    const stored = MessageV2.fromError(error, { providerID: ProviderV2.ID.make("acme") })
    return SessionRetry.retryable(stored, "acme") !== undefined
  })
  test("there are such failures", () => expect(asksAgain.length).toBeGreaterThan(10))
  for (const [name, error] of asksAgain)
    test(name, () => expect(["too_long", "history", "final"]).not.toContain(classify(error).kind))
})

const retryAfter = (error: unknown) => {
  const found = classify(error)
  return CombinedFailure.cools(found) ? found.retryAfter : undefined
}

describe("how long the provider asks to be left alone", () => {
  const after = (headers: Record<string, string>) => retryAfter(refused(429, {}, headers))

  test("in seconds", () => expect(after({ "retry-after": "30" })).toBe(30_000))
  test("in parts of a second", () => expect(after({ "retry-after": "0.5" })).toBe(500))
  test("as a date", () => expect(after({ "retry-after": "Sun, 01 Mar 2026 12:02:00 GMT" })).toBe(120_000))
  test("in milliseconds, which are more exact", () =>
    expect(after({ "retry-after-ms": "1500", "retry-after": "2" })).toBe(1500))
  test("whatever the case of the header", () => expect(after({ "Retry-After": "7" })).toBe(7000))
  test("of a retry's last error", () =>
    expect(
      retryAfter(
        new RetryError({
          message: "Failed after 3 attempts",
          reason: "maxRetriesExceeded",
          errors: [refused(429, {}, { "retry-after": "30" })],
        }),
      ),
    ).toBe(30_000))
  test("a date that has passed says nothing", () =>
    expect(after({ "retry-after": "Sun, 01 Mar 2026 11:00:00 GMT" })).toBeUndefined())
  test("nonsense says nothing", () => expect(after({ "retry-after": "soon" })).toBeUndefined())
  test("nothing said", () => expect(after({})).toBeUndefined())
})

describe("what is shown of it", () => {
  test("the status and the provider's words on one line", () =>
    expect(classify(refused(429, {}, {}, "Rate limit\n  reached"))?.message).toBe("429 Rate limit reached"))
  test("of a page of a proxy its title at most", () => {
    const message = classify(refused(502, {}, {}, `<html>${"x".repeat(5000)}</html>`))?.message ?? ""
    expect(message).toBe("502 A web page came instead of an answer")
    const titled = refused(502, {}, {}, "<html><head><title>502 Bad Gateway</title></head></html>")
    expect(classify(titled)?.message).toBe("502 Bad Gateway")
  })
  test("bun's hint for programmers is left out", () => {
    const hint =
      "The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()"
    expect(classify(new Error(hint))?.message).toBe("The socket connection was closed unexpectedly")
  })
  test("no prompt of the user is in it", () =>
    expect(classify(refused(500))?.message).not.toContain("words of the user's own"))
})

test("an error that holds itself ends", () => {
  const error: { message: string; cause?: unknown } = { message: "Overloaded" }
  error.cause = error
  expect(classify(error)).toMatchObject({ kind: "overload" })
})

test("a line that was cut may hold a moment later, a refused connection is refused then too", () => {
  const passes = (error: unknown) => {
    const found = classify(error)
    return CombinedFailure.cools(found) && CombinedFailure.passes(found)
  }
  expect(passes(broken("ECONNRESET"))).toBe(true)
  expect(passes(broken("ConnectionRefused"))).toBe(false)
})
