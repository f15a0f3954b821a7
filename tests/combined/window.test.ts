/** What vendors say about plans in their answers. Each example has its source, and the day on which it was read. */
import { expect, test } from "bun:test"
import { CombinedWindow } from "@/combined/health/window"

const HOUR = 3_600_000
const DAY = 24 * HOUR

type Example = {
  readonly what: string
  /** Where it was published; read on 2026-11-28. */
  readonly source: string
  readonly now: string
  readonly headers: Readonly<Record<string, string>>
  /** Name, percentage, end. */
  readonly windows: readonly (readonly [string, number, string])[]
}

const EXAMPLES: readonly Example[] = [
  {
    what: "the ChatGPT login, with a 5-hour and a weekly window",
    source: "https://github.com/NousResearch/hermes-agent, quoted in https://github.com/james-6-23/codex2api/pull/676",
    now: "2026-11-28T12:00:00Z",
    headers: {
      "x-codex-active-limit": "codex",
      "x-codex-plan-type": "plus",
      "x-codex-primary-used-percent": "42.5",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-after-seconds": "7200",
      "x-codex-secondary-used-percent": "13",
      "x-codex-secondary-window-minutes": "10080",
      "x-codex-secondary-reset-after-seconds": "259200",
    },
    windows: [
      ["5-hour window", 42.5, "2026-11-28T14:00:00.000Z"],
      ["weekly window", 13, "2026-12-01T12:00:00.000Z"],
    ],
  },
  {
    what: "the ChatGPT login, where the first place has the weekly window, and a model has a limit of its own",
    source: "https://github.com/can1357/oh-my-pi/pull/10931, https://github.com/ericjypark/codex-island/pull/74",
    now: "2026-09-05T00:00:00Z",
    headers: {
      "x-codex-primary-used-percent": "100",
      "x-codex-primary-window-minutes": "10080",
      "x-codex-primary-reset-at": "1788717600",
      "x-codex-secondary-used-percent": "0",
      "x-codex-secondary-window-minutes": "0",
      "x-codex-bengalfox-primary-used-percent": "7",
      "x-codex-bengalfox-primary-window-minutes": "300",
      "x-codex-bengalfox-primary-reset-at": "1788570000",
    },
    windows: [
      ["weekly window", 100, "2026-09-06T18:00:00.000Z"],
      ["5-hour window", 7, "2026-09-05T01:00:00.000Z"],
    ],
  },
  {
    what: "a Claude subscription",
    source: "https://github.com/router-for-me/CLIProxyAPI/pull/3169, https://github.com/anomalyco/opencode/pull/49499",
    now: "2026-09-17T08:00:00Z",
    headers: {
      "anthropic-ratelimit-unified-status": "allowed_warning",
      "anthropic-ratelimit-unified-representative-claim": "seven_day",
      "anthropic-ratelimit-unified-5h-status": "allowed",
      "anthropic-ratelimit-unified-5h-utilization": "0.35",
      "anthropic-ratelimit-unified-5h-reset": "1789638000",
      "anthropic-ratelimit-unified-7d-utilization": "0.85",
      "anthropic-ratelimit-unified-7d-surpassed-threshold": "0.75",
      "anthropic-ratelimit-unified-7d-reset": "1790140800",
      "anthropic-ratelimit-unified-overage-status": "rejected",
      "anthropic-ratelimit-unified-overage-utilization": "0.99",
      "anthropic-ratelimit-unified-overage-reset": "1790812800",
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "1",
      "anthropic-ratelimit-requests-reset": "2026-09-17T08:00:31Z",
    },
    windows: [
      ["weekly window", 85, "2026-09-23T05:20:00.000Z"],
      ["5-hour window", 35, "2026-09-17T09:40:00.000Z"],
    ],
  },
  {
    what: "a Claude subscription that refuses",
    source: "https://github.com/griffinwork40/agent-afk/pull/490",
    now: "2026-09-17T08:00:00Z",
    headers: {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-representative-claim": "five_hour",
      "anthropic-ratelimit-unified-reset": "1789638000",
    },
    windows: [["5-hour window", 100, "2026-09-17T09:40:00.000Z"]],
  },
  {
    what: "GitHub Copilot with a number of premium requests",
    source: "https://github.com/Menci/Floway/pull/339",
    now: "2026-08-01T00:00:00Z",
    headers: {
      "x-quota-snapshot-chat": "ent=-1&ov=0.0&ovPerm=false&rem=100.0&rst=2026-09-01T00%3A00%3A00Z&totRem=-1",
      "x-quota-snapshot-premium_interactions":
        "ent=10000000&ov=0.0&ovPerm=true&rem=97.1&rst=2026-09-01T00%3A00%3A00Z&totRem=9719759.1",
    },
    windows: [["premium requests", 2.9, "2026-09-01T00:00:00.000Z"]],
  },
  {
    what: "GitHub Copilot with a session and a week",
    source: "https://github.com/EncodeTS/copilot-api/blob/3d465e0/tests/copilot-rate-limit.test.ts",
    now: "2026-04-22T12:00:00Z",
    headers: {
      "x-usage-ratelimit-session": "ent=0&ov=0.0&ovPerm=false&rem=99.6&rst=2026-04-22T14%3A30%3A56Z",
      "x-usage-ratelimit-weekly": "ent=0&ov=0.0&ovPerm=false&rem=95.9&rst=2026-04-27T00%3A00%3A00Z",
    },
    windows: [
      ["weekly window", 4.1, "2026-04-27T00:00:00.000Z"],
      ["session limit", 0.4, "2026-04-22T14:30:56.000Z"],
    ],
  },
  {
    what: "OpenRouter's free models, per day",
    source: "https://github.com/Gitlawb/openclaude/issues/936",
    now: "2026-04-28T10:00:00Z",
    headers: { "X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "1777420800000" },
    windows: [["requests", 96, "2026-04-29T00:00:00.000Z"]],
  },
  {
    what: "Groq in the morning, with requests per day and tokens per minute",
    source: "https://console.groq.com/docs/rate-limits.md",
    now: "2026-11-28T12:00:00Z",
    headers: {
      "x-ratelimit-limit-requests": "14400",
      "x-ratelimit-limit-tokens": "18000",
      "x-ratelimit-remaining-requests": "14370",
      "x-ratelimit-remaining-tokens": "17997",
      "x-ratelimit-reset-requests": "2m59.56s",
      "x-ratelimit-reset-tokens": "7.66s",
    },
    windows: [],
  },
  {
    what: "Groq in the same form, but after most of the requests of the day",
    source: "https://console.groq.com/docs/rate-limits.md",
    now: "2026-11-28T12:00:00Z",
    headers: {
      "x-ratelimit-limit-requests": "14400",
      "x-ratelimit-limit-tokens": "18000",
      "x-ratelimit-remaining-requests": "720",
      "x-ratelimit-remaining-tokens": "17997",
      "x-ratelimit-reset-requests": "22h48m0s",
      "x-ratelimit-reset-tokens": "7.66s",
    },
    windows: [["requests", 95, "2026-11-29T10:48:00.000Z"]],
  },
  {
    what: "OpenAI's API, which counts the pace",
    source: "https://community.openai.com/t/how-to-get-rate-limit-reset-time-for-response-api/1268905",
    now: "2026-11-28T12:00:00Z",
    headers: {
      "x-ratelimit-limit-requests": "5000",
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-reset-requests": "6m0s",
      "x-ratelimit-limit-tokens": "160000",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "9ms",
    },
    windows: [],
  },
  {
    what: "Anthropic's API, which counts per minute",
    source: "https://rdrr.io/cran/tidyllm/src/tests/testthat/claude/api.anthropic.com/v1/messages-e050b5-POST.R",
    now: "2025-08-21T12:40:00Z",
    headers: {
      "anthropic-ratelimit-input-tokens-limit": "80000",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2025-08-21T12:40:59Z",
      "anthropic-ratelimit-requests-limit": "1000",
      "anthropic-ratelimit-requests-remaining": "999",
      "anthropic-ratelimit-requests-reset": "2025-08-21T12:40:59Z",
    },
    windows: [],
  },
  {
    what: "Cerebras, with requests per day and tokens per minute",
    source: "https://inference-docs.cerebras.ai/support/rate-limits",
    now: "2026-11-28T12:00:00Z",
    headers: {
      "x-ratelimit-limit-requests-day": "1000",
      "x-ratelimit-remaining-requests-day": "250",
      "x-ratelimit-reset-requests-day": "33011.382867",
      "x-ratelimit-limit-tokens-minute": "64000",
      "x-ratelimit-remaining-tokens-minute": "0",
      "x-ratelimit-reset-tokens-minute": "11.38",
    },
    windows: [["requests", 75, "2026-11-28T21:10:11.383Z"]],
  },
  {
    what: "DigitalOcean, with tokens per day and per minute",
    source: "https://docs.digitalocean.com/products/inference/reference/quota-specific-response-headers/",
    now: "2026-11-28T12:00:00Z",
    headers: {
      "x-ratelimit-limit-tokens-per-day": "1000000",
      "x-ratelimit-remaining-tokens-per-day": "100000",
      "x-ratelimit-reset-tokens-per-day": "1795878000",
      "x-ratelimit-limit-tokens-per-minute": "10000",
      "x-ratelimit-remaining-tokens-per-minute": "0",
      "x-ratelimit-reset-tokens-per-minute": "1795874460",
    },
    windows: [["tokens", 90, "2026-11-28T15:00:00.000Z"]],
  },
  {
    what: "Azure, without a limit",
    source:
      "https://learn.microsoft.com/en-us/answers/questions/5625878/azure-openai-responses-api-x-ratelimit-headers-val",
    now: "2026-11-28T12:00:00Z",
    headers: {
      "x-ratelimit-limit-tokens": "-1",
      "x-ratelimit-remaining-tokens": "-1",
      "x-ratelimit-reset-tokens": "0",
    },
    windows: [],
  },
]

const shown = (windows: readonly CombinedWindow.Window[]) =>
  windows.map(({ name, usedShare, endsAt }) => [
    name,
    Math.round(usedShare * 1000) / 10,
    new Date(endsAt).toISOString(),
  ])

for (const { what, now, headers, windows } of EXAMPLES) {
  test(what, () => {
    expect(shown(CombinedWindow.read(Object.entries(headers), Date.parse(now)))).toEqual(
      windows.map((item) => [...item]),
    )
    // As `fetch` gives them.
    expect(shown(CombinedWindow.read(new Headers(headers), Date.parse(now))).toSorted()).toEqual(
      windows.map((item) => [...item]).toSorted(),
    )
  })
}

test("a model's own limits do not count for the account's other models", () => {
  const now = Date.parse("2026-09-17T08:00:00Z")
  const reset = String(now / 1000 + 7200)
  const found = CombinedWindow.read(
    Object.entries({
      "anthropic-ratelimit-unified-5h-utilization": "0.1",
      "anthropic-ratelimit-unified-5h-reset": reset,
      "anthropic-ratelimit-unified-7d_oi-utilization": "0.2",
      "anthropic-ratelimit-unified-7d_oi-reset": reset,
      "x-ratelimit-limit": "50",
      "x-ratelimit-remaining": "10",
      "x-ratelimit-reset": reset,
    }),
    now,
  )
  expect(found.map(({ name, plan, ofModel }) => [name, plan, ofModel])).toEqual([
    ["requests", false, true],
    ["weekly window", true, true],
    ["5-hour window", true, false],
  ])
})

test("ChatGPT's event inside an answer is read", () => {
  const now = Date.parse("2026-11-28T12:00:00Z")
  // https://github.com/openai/codex/blob/5d24c10/codex-rs/codex-api/src/rate_limits.rs, read on 2026-11-28.
  const event = {
    type: "codex.rate_limits",
    plan_type: "pro",
    rate_limits: {
      primary: { used_percent: 40, window_minutes: 300, reset_at: now / 1000 + 9000 },
      secondary: { used_percent: 5, window_minutes: 10_080, reset_at: now / 1000 + 600_000 },
    },
  }
  expect(shown(CombinedWindow.inBody(event, now))).toEqual([
    ["5-hour window", 40, "2026-11-28T14:30:00.000Z"],
    ["weekly window", 5, "2026-12-05T10:40:00.000Z"],
  ])
})

test("OpenRouter's headers are read in the body of its refusal", () => {
  // https://github.com/Gitlawb/openclaude/issues/936, read on 2026-11-28.
  const body = {
    error: {
      message: "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
      code: 429,
      metadata: {
        headers: { "X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1777420800000" },
      },
    },
  }
  expect(shown(CombinedWindow.inBody(body, Date.parse("2026-04-28T10:00:00Z")))).toEqual([
    ["requests", 100, "2026-04-29T00:00:00.000Z"],
  ])
})

test("values that are not numbers, are in the past, or are too late are ignored, and reading is bounded", () => {
  const now = Date.parse("2026-11-28T12:00:00Z")
  const codex = (percent: string, until: string, minutes = "300") =>
    CombinedWindow.read(
      Object.entries({
        "x-codex-primary-used-percent": percent,
        "x-codex-primary-reset-at": until,
        "x-codex-primary-window-minutes": minutes,
      }),
      now,
    )
  const later = String(now / 1000 + 3600)
  for (const percent of ["NaN", "-5", "Infinity", "", "40 %", "\u0000", "9".repeat(400)])
    expect(codex(percent, later)).toEqual([])
  for (const until of ["1970-01-01", "0", "-1", "1e300", "9999-12-31T00:00:00Z", String(now / 1000 - 1), "soon"])
    expect(codex("40", until)).toEqual([])
  expect(codex("40", later, "1")).toEqual([])
  expect(codex("1e9", later)).toMatchObject([{ usedShare: 1 }])
  expect(codex("40", later, "1e300").length).toBe(1)
  const many = Array.from({ length: 5000 }, (_, index) => [`x-codex-f${index}-primary-used-percent`, "1"] as const)
  expect(CombinedWindow.read(many, now).length).toBeLessThanOrEqual(12)
  for (const body of [undefined, null, "text", [], { error: null }, { error: { metadata: { headers: [] } } }])
    expect(CombinedWindow.inBody(body, now)).toEqual([])
  expect(CombinedWindow.inBody({ type: "codex.rate_limits", rate_limits: { primary: null } }, now)).toEqual([])
})

test("an answer without such headers says nothing", () => {
  const headers = new Headers({ "content-type": "text/event-stream", "x-request-id": "1", date: "today" })
  expect(CombinedWindow.read(headers, Date.now())).toEqual([])
})

test("a provider of subscriptions has a plan, whatever its headers are called", () => {
  const plans = [
    "zai-coding-plan",
    "kimi-for-coding",
    "minimax-cn-coding-plan",
    "xiaomi-token-plan-sgp",
    "github-copilot",
    "opencode-go",
  ]
  expect(plans.filter((id) => !CombinedWindow.isPlan(id))).toEqual([])
  expect(["openai", "anthropic", "openrouter", "groq", "planet"].filter(CombinedWindow.isPlan)).toEqual([])
})

test("many other headers say nothing", () => {
  const headers = new Headers(
    Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x-other-${index}`, "value"])),
  )
  expect(Array.from({ length: 1000 }, () => CombinedWindow.read(headers, DAY)).flat()).toEqual([])
})
