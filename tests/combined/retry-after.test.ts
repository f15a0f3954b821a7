import { expect, test } from "bun:test"
import { CombinedRetryAfter } from "@/combined/failure/retry-after"

const NOW = Date.parse("2026-03-01T12:00:00Z")
const read = (headers: Record<string, string>, ...texts: string[]) =>
  CombinedRetryAfter.read({ headers, texts, limit: true }, NOW)

for (const [name, headers, wait] of [
  ["milliseconds", { "Retry-After-Ms": "1500.2" }, 1501],
  ["seconds", { "retry-after": "36000" }, 36_000_000],
  ["a date", { "retry-after": "Sun, 01 Mar 2026 12:01:00 GMT" }, 60_000],
  ["a date that is past", { "retry-after": "Sun, 01 Mar 2026 11:00:00 GMT" }, undefined],
  ["neither", { "retry-after": "soon" }, undefined],
  [
    "OpenAI's reset of the limit that is used up",
    {
      "x-ratelimit-remaining-requests": "59",
      "x-ratelimit-reset-requests": "1s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "6m0s",
    },
    360_000,
  ],
  ["OpenAI's milliseconds", { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms" }, 120],
  [
    "Anthropic's date",
    {
      "anthropic-ratelimit-tokens-remaining": "0",
      "anthropic-ratelimit-tokens-reset": "2026-03-01T12:00:30Z",
    },
    30_000,
  ],
  ["seconds from now", { "ratelimit-remaining": "0", "ratelimit-reset": "50" }, 50_000],
  ["seconds since the epoch", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${NOW / 1000 + 20}` }, 20_000],
  ["milliseconds since the epoch", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${NOW + 20}` }, 20],
  ["a limit that is not used up", { "x-ratelimit-remaining": "5", "x-ratelimit-reset": "50" }, undefined],
  ["a reset without a time", { "x-ratelimit-remaining": "0" }, undefined],
] as const) {
  test(`${name} in a header`, () => {
    expect(read(headers)).toBe(wait)
  })
}

for (const [text, wait] of [
  ["Rate limit reached for gpt-5. Please try again in 6m0s. Visit the dashboard", 360_000],
  ["Limit 30000, used 29000. Please try again in 1.242s.", 1242],
  ["Please try again in 320ms.", 320],
  ['{"@type":"RetryInfo","retryDelay":"34.4s"}', 34_400],
  ["Quota exceeded, please retry in 2 hours", 7_200_000],
  ['{"error":{"type":"usage_limit_reached","resets_in_seconds":5400}}', 5_400_000],
  [`{"error":{"type":"usage_limit_reached","resets_at": ${NOW / 1000 + 60}}}`, 60_000],
  [`{"error":{"type":"usage_limit_reached","resets_at": ${NOW / 1000 - 60}}}`, undefined],
  ["Your limit resets after 21h15m", 76_500_000],
  ["Your limit resets at 2026-03-01T13:00:00Z", 3_600_000],
  ["Usage limit reached, try again at 2026-03-01 12:30 UTC", 1_800_000],
  ["Your limit was reset at 2026-01-01T00:00:00Z", undefined],
  ["It will reset at 2026-03-01 21:00:00 +0800 CST. We recommend a larger plan", 3_600_000],
  ["Please wait 23456 seconds before retrying.", 23_456_000],
  ["You will regain access on 2026-03-02 at 00:00 UTC.", 43_200_000],
  ["Your limit resets on Mar 1, 2026, 3:00 PM UTC", 10_800_000],
  ["Please try again in 3 hours and 5 minutes", 11_100_000],
  ["请在 30 秒后重试", 30_000],
  ["您的限额将在 2026-03-01 13:00:00 UTC 重置", 3_600_000],
  ["Your limit will reset at 2026-03-01 21:00:00", undefined],
  ["Please try again in a moment", undefined],
  ["Retry in 5 attempts", undefined],
  ["Released 2026-05-01T00:00:00Z", undefined],
] as const) {
  test(`"${text}" ${wait ? "names a time" : "names none"}`, () => {
    expect(read({}, text)).toBe(wait)
  })
}

test("a header takes precedence over the text", () => {
  expect(read({ "retry-after": "5" }, "try again in 6m0s")).toBe(5000)
})

test("a date without a zone is used if the vendor's zone is known", () => {
  const texts = ["Your limit will reset at 2026-03-01 21:00:00"]
  expect(CombinedRetryAfter.read({ headers: {}, texts, limit: true, zone: "+08:00" }, NOW)).toBe(3_600_000)
})

test("if the failure is not about a limit, only a Retry-After counts", () => {
  const used = { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6h0m0s" }
  const about = (headers: Record<string, string>) =>
    CombinedRetryAfter.read({ headers, texts: ["Please try again in 6m0s."], limit: false }, NOW)
  expect(about(used)).toBeUndefined()
  expect(about({ ...used, "retry-after": "5" })).toBe(5000)
})

for (const [what, headers, wait] of [
  [
    "the end of a window of Anthropic's plans",
    { "anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": `${NOW / 1000 + 60}` },
    60_000,
  ],
  [
    "a window that is not used up",
    { "anthropic-ratelimit-unified-status": "allowed", "anthropic-ratelimit-unified-reset": `${NOW / 1000 + 60}` },
    undefined,
  ],
  ["the field of the IETF's draft", { ratelimit: '"default";r=0;t=50' }, 50_000],
] as const)
  test(`${what} in a header`, () => expect(read(headers)).toBe(wait))

// Every form that was met in public, in words.
for (const [text, wait] of [
  ["You have hit your usage limit (plus plan). Try again in ~100 min.", 6_000_000],
  ["Weekly usage limit reached. Resets in 6hr 29min.", 23_340_000],
  ["Please try again in 2 weeks", 1_209_600_000],
  ["Your limit resets in 3 days, 5 hours and 3 minutes", 277_380_000],
  ["Your quota will reset after 141h28m14s.", 509_294_000],
  ["Come back in 3h 47m", 13_620_000],
  ["Please wait an hour", 3_600_000],
  ["请在 3 小时 20 分钟后重试", 12_000_000],
  ["额度将于 2 天后恢复", 172_800_000],
  ["请等待 30 秒", 30_000],
  ["您的限额将在 2026年3月1日 21:00 (UTC+8) 重置", 3_600_000],
  ["It will reset at 2026-03-01 21:00:00 北京时间", 3_600_000],
  ["Free quota used. Resets at 13:00 UTC.", 3_600_000],
  ["Access resets at 10:57 AM GMT-3.", 7_020_000],
  ["You've hit your session limit · resets 3pm (America/Bogota)", 28_800_000],
  ["Weekly limit reached · resets 10am (Asia/Seoul)", 46_800_000],
  ["Your limit resets at midnight UTC", 43_200_000],
  [`Usage limit reached|${NOW / 1000 + 60}`, 60_000],
  [`Quota resets at ${NOW + 60_000}`, 60_000],
  ['"resets_at":"2026-03-01T12:01:00Z"', 60_000],
  ['"quotaResetDelay":"3h22m31s"', 12_151_000],
  ['"retry_after_ms":"1500"', 1500],
  ['"estimated_time":"20.5"', 20_500],
  ['"reset_seconds":"561635"', 561_635_000],
  ['"retry_after_sec":"1"', undefined],
  ['"retryAfterMs":"1500"', 1500],
  ['"next_available_at":"2026-03-01T12:01:00Z"', 60_000],
  [`"reset_at":"${NOW + 60_000}"`, 60_000],
  ["Please try again in 2 days 17 hours 14 minutes.", 234_840_000],
  ["The limits reset on 08/01", undefined],
  ["Your limit resets 3pm", undefined],
  ["Your limit will reset at 12am.", undefined],
  ["Your limit resets on Jul 12, 2026, 5:04 AM", undefined],
  ["Your limit resets 3pm (Nowhere/City)", undefined],
  ["Your limit resets at 2026-02-31 99:99 UTC", undefined],
  ["Your limit resets at 1970-01-01T00:00:00Z", undefined],
  ["Your limit resets at 9999-12-31T23:59:59Z", undefined],
] as const)
  test(`"${text}" ${wait ? "names a time" : "names none"}, too`, () => expect(read({}, text)).toBe(wait))

for (const [what, headers, wait] of [
  ["a span", { "retry-after": "1m30s" }, 90_000],
  ["seconds since the epoch", { "retry-after": `${NOW / 1000 + 20}` }, 20_000],
  [
    "the window of ChatGPT's plans",
    {
      "X-Codex-Primary-Used-Percent": "100",
      "X-Codex-Primary-Reset-After-Seconds": "471285",
      "X-Codex-Secondary-Used-Percent": "40",
      "X-Codex-Secondary-Reset-After-Seconds": "900000",
    },
    471_285_000,
  ],
  ["more than a year", { "retry-after": "99999999" }, undefined],
  ["a number without end", { "retry-after": "1e300" }, undefined],
  ["no number", { "retry-after": "NaN" }, undefined],
  ["infinity", { "retry-after-ms": "Infinity", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1e999" }, undefined],
] as const)
  test(`${what} in a header, too`, () => expect(read(headers)).toBe(wait))

test("a vendor's own place goes before the others, and where what looks like a time is none, none is read", () => {
  const headers = { "retry-after": "5", "x-own": "60" }
  const texts = ["try again in 2s", '"resets_at":"90"']
  const at = (...places: string[]) => CombinedRetryAfter.read({ headers, texts, limit: true, places }, NOW)
  expect([at("header:x-own"), at("text"), at("field:resets_at"), at("header:gone"), at("none")]).toEqual([
    60_000,
    2000,
    90_000,
    5000,
    undefined,
  ])
})
