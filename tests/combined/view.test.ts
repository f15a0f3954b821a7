import { expect, test } from "bun:test"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedNotice } from "@/combined/turn/notice"
import { CombinedAttempts } from "@/combined/view/attempts"
import { CombinedKnown } from "@/combined/view/known"
import { CombinedPicture } from "@/combined/view/picture"
import { CombinedReport, type Report } from "@/combined/view/report"
import { NOTHING_SEEN } from "./nothing-seen"

const now = new Date(2026, 0, 31, 14, 0).getTime()
const MINUTE = 60_000

const failed = (providerID: string, modelID: string, scope: "provider" | "model") =>
  CombinedCooldown.fail(
    new Map(),
    providerID,
    modelID,
    { kind: "quota", scope, message: "Insufficient\u001b[31m credits", retryAfter: 30 * MINUTE },
    now,
  )

const members = [
  { providerID: "alpha", modelID: "sonnet", variant: undefined },
  { providerID: "beta", modelID: "vendor/sonnet", variant: undefined },
]

const pictured = (id: string, more: Partial<CombinedPicture.Seen> = {}) =>
  CombinedPicture.picture([{ id, name: "Sonnet", members }], {
    ...NOTHING_SEEN,
    now,
    price: (member) => (member.providerID === "alpha" ? "plan" : "metered"),
    providerName: (id) => id,
    modelName: () => "Sonnet",
    next: () => undefined,
    ...more,
  }).models[0]

const report = (more: Partial<Report> = {}): Report => {
  const state = failed("alpha", "sonnet", "provider")
  return {
    format: 1,
    opencode: "1.18.15",
    build: "opencode-patcher",
    directory: "/work",
    now: new Date(now).toISOString(),
    models: [
      CombinedReport.model(pictured("sonnet", { state }), false, members, () => ({
        cost: { input: 3, output: 15 },
        limit: { context: 200_000, output: 8_000 },
      })),
    ],
    providers: [],
    unused_logins: [],
    left_out: [],
    unpromised: [],
    mistakes: [],
    settings: [],
    sources: [],
    plugins: [],
    ...more,
  }
}

test("each member has a line that says whether it is asked, and until when not", () => {
  expect(CombinedReport.lines(report(), now)).toEqual([
    "combined/sonnet  Sonnet",
    "  1. alpha/sonnet        avoided until 14:30 (in 30 min): quota, plan, 200k",
    "  2. beta/vendor/sonnet  ready, metered, $3 in, $15 out, 200k",
  ])
})

test("what the user wants on this machine is shown", () => {
  const machine = { pins: { sonnet: "beta" }, skips: ["alpha/sonnet"] }
  const wishes = (id: string, found: typeof machine) =>
    CombinedReport.model(pictured(id, { machine: found }), false, members, () => undefined).members.map(
      (row) => row.wish,
    )
  expect(wishes("sonnet", machine)).toEqual(["skipped", "pinned"])
  expect(wishes("sonnet", { ...machine, skips: [] })).toEqual(["another is pinned", "pinned"])
  expect(wishes("other", machine)).toEqual(["skipped", undefined])
  expect(wishes("other", { pins: {}, skips: [] })).toEqual([undefined, undefined])
})

test("the user's own groups come first, and what is not used is said", () => {
  const [model] = report().models
  const lines = CombinedReport.lines(
    report({
      models: [model, { ...model, id: "best", name: "best", own: true }],
      unused_logins: [{ id: "anthropic", why: "OpenCode needs a plugin for this kind of login" }],
      mistakes: [{ text: "combined.stratgy is not a setting, so it does nothing." }],
    }),
    now,
  )
  expect(lines[0]).toBe("combined/best  best")
  expect(lines).toContain("The login to anthropic is not used: OpenCode needs a plugin for this kind of login.")
  expect(lines.at(-1)).toBe("Mistakes in the settings: 1. To see them: opencode combined check")
  expect(CombinedReport.lines(report({ models: [], off: "disabled_providers names combined" }), now)).toEqual([
    "Nothing is combined: disabled_providers names combined.",
  ])
})

test("how the user is connected to a provider", () => {
  const provider = { id: "openai", source: "env", env: ["OPENAI_API_KEY"] }
  expect(CombinedReport.loginOf(provider, "oauth", {})).toEqual({ login: "oauth" })
  expect(CombinedReport.loginOf(provider, "api", { OPENAI_API_KEY: "x" })).toEqual({ login: "key" })
  expect(CombinedReport.loginOf(provider, undefined, { OPENAI_API_KEY: "x" })).toEqual({
    login: "environment",
    variable: "OPENAI_API_KEY",
  })
  expect(CombinedReport.loginOf({ ...provider, source: "config" }, undefined, {})).toEqual({ login: "configuration" })
  expect(CombinedReport.loginOf({ id: "opencode", source: "custom", env: [] }, undefined, {})).toEqual({
    login: "free",
  })
})

test("a login that OpenCode does not use has a reason", () => {
  const logins = { anthropic: "oauth", openai: "api", nobody: "api", "https://corp": "wellknown", groq: "api" }
  const known = (id: string) => id !== "nobody"
  expect(CombinedReport.unused(logins, ["openai"], { disabled_providers: ["groq"] }, known)).toEqual([
    { id: "anthropic", why: "OpenCode needs a plugin for this kind of login" },
    { id: "nobody", why: "OpenCode knows no provider of that name" },
    { id: "groq", why: "disabled_providers names it" },
  ])
})

test("health: who is avoided, and whom a name means", () => {
  const state = failed("alpha", "sonnet", "provider")
  const found = CombinedKnown.health(state, new Map(), now)
  expect(found.avoided.map((item) => [item.member, item.class, item.failures])).toEqual([["alpha", "quota", 1]])
  expect(CombinedKnown.lines(found, now)).toEqual([
    "alpha: avoided until 14:30 (in 30 min) (quota)",
    "  Insufficient\\x1b[31m credits",
    "To ask one again now: opencode combined health clear MEMBER",
  ])
  const both = new Map([...state, ...failed("beta", "vendor/sonnet", "model")])
  expect(CombinedKnown.meant(both, "beta", now)).toEqual(["beta/vendor/sonnet"])
  expect(CombinedKnown.meant(both, "beta/vendor/sonnet", now)).toEqual(["beta/vendor/sonnet"])
  expect(CombinedKnown.meant(both, undefined, now)).toEqual(["alpha/", "beta/vendor/sonnet"])
  expect(CombinedKnown.meant(both, "bet", now)).toEqual([])
  expect(CombinedKnown.lines(CombinedKnown.health(new Map(), new Map(), now), now)).toEqual([
    "No provider is being avoided.",
  ])
})

test("an attempt is one line, cut at the width", () => {
  const start = new Date(2026, 0, 31, 14, 5, 6)
  const moved = { start: start.toISOString(), session: "ses_1234abcd", provider: "alpha", action: "moved" }
  const line = CombinedAttempts.line({ ...moved, failure: "quota", reason: "402 Insufficient credits" }, 200)
  expect(line).toBe("2026-01-31 14:05:06  abcd  alpha             switched   402 Insufficient credits")
  expect(CombinedAttempts.line({ ...moved, failure: "quota", reason: "402 Insufficient credits" }, 70)).toHaveLength(70)
  const end = new Date(start.getTime() + 1500).toISOString()
  expect(CombinedAttempts.line({ ...moved, end, action: "served", cost: 0.0123 }, 200)).toEndWith(
    "answered   1.5 s, $0.0123",
  )
  expect(CombinedAttempts.line({ ...moved, end, action: "served", instead_of: "opus" }, 200)).toEndWith(
    "answered   1.5 s, instead of opus",
  )
  const text = `${JSON.stringify({ provider: "a" })}\nnot JSON\n${JSON.stringify({ provider: "b" })}\n`
  expect(CombinedAttempts.last(text, 1)).toEqual([{ provider: "b" }])
  expect(CombinedAttempts.last(text, 10)).toHaveLength(2)
  expect(CombinedAttempts.line({}, 80)).toBe("")
})

test("when nobody can answer it says who returns first, at a time of the user's clock", () => {
  const [cooldown] = failed("alpha", "sonnet", "model").values()
  expect(CombinedNotice.exhausted("sonnet", [], [{ member: members[0], cooldown }], [], now).split("\n")).toEqual([
    "No provider of sonnet can answer now.",
    "alpha/sonnet: Insufficient\\x1b[31m credits",
    "alpha should be back first, at 14:30 (in 30 min).",
  ])
})
