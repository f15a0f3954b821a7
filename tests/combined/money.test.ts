import { expect, test } from "bun:test"
import { CombinedAdmit } from "@/combined/money/admit"
import { CombinedPrice } from "@/combined/money/price"
import { CombinedWords } from "@/combined/money/words"
import { CombinedNotice } from "@/combined/turn/notice"
import { CombinedSettings } from "@/combined/settings"

const PAID = { input: 3, output: 15 }
const ZERO = { input: 0, output: 0 }

const member = (text: string) => ({ providerID: text.split("/")[0], modelID: text.slice(text.indexOf("/") + 1) })

for (const [what, facts, expected] of [
  ["an API key at a price", { price: PAID }, "metered"],
  ["a price for the output alone", { price: { input: 0, output: 1 } }, "metered"],
  ["a price that only begins with a long conversation", { price: { ...ZERO, experimentalOver200K: PAID } }, "metered"],
  ["an unknown price", {}, "metered"],
  ["a price of nothing", { price: ZERO }, "free"],
  ["an unknown price on this machine", { local: true }, "free"],
  ["a price on this machine", { local: true, price: PAID }, "metered"],
  ["a login", { login: true, price: PAID }, "plan"],
  ["a login of unknown price", { login: true }, "plan"],
  ["a login whose requests are billed", { provider: "digitalocean", login: true, price: PAID }, "metered"],
  ["a coding plan with a key", { provider: "zai-coding-plan", price: ZERO }, "plan"],
  ["a plan in whose name nothing says so but coding", { provider: "kimi-for-coding", price: ZERO }, "plan"],
  ["a plan that counts in dollars", { provider: "opencode-go", price: PAID }, "plan"],
  ["a further account of a plan", { provider: "zai-coding-plan", member: member("zai-work/glm-4.7") }, "plan"],
  ["what the user says of a login", { login: true, own: "metered" }, "metered"],
  ["what the user says of a price", { price: PAID, own: "plan" }, "plan"],
] as const) {
  test(`${what}: ${expected}`, () => {
    const usual = { member: member("acme/glm"), provider: "acme", login: false, local: false }
    expect(CombinedPrice.classOf({ ...usual, price: undefined, own: undefined, ...facts })).toBe(expected)
  })
}

test("only the loopback is this machine", () => {
  const local = [
    "http://localhost:11434/v1",
    "http://127.0.0.1:1234",
    "http://[::1]:8080/v1",
    "http://ollama.localhost",
  ]
  expect(local.filter((one) => !CombinedPrice.isLocal(one))).toEqual([])
  const other = [
    undefined,
    "",
    "https://api.acme.ai",
    "http://localhost.acme.ai",
    "http://192.168.1.2",
    "http://127.acme",
  ]
  expect(other.filter((one) => CombinedPrice.isLocal(one))).toEqual([])
})

test("of the user's classes, one for a model comes before one for its provider", () => {
  const { classOf } = CombinedSettings.money({
    combined: { price_class: { acme: "plan", "acme/*-pro": "metered", "*": "free" } },
  })
  expect(["acme/glm", "Acme/glm-pro", "other/glm"].map((name) => classOf(member(name)))).toEqual([
    "plan",
    "metered",
    "free",
  ])
  expect(CombinedSettings.money({}).classOf(member("acme/glm"))).toBeUndefined()
})

test("without settings nothing is asked and nothing has a cap", () => {
  expect(CombinedSettings.money({})).toMatchObject({ metered: "allow", budget: undefined })
  expect(CombinedSettings.money({ combined: { budget: {} } }).budget).toBeUndefined()
  expect(
    CombinedSettings.money({ combined: { budget: { providers: { "Open.Router": 5 } } } }).budget?.providers,
  ).toEqual(new Map([["openrouter", 5]]))
})

for (const [what, facts, expected] of [
  ["a plan is asked, whatever the rule", { priceClass: "plan", metered: "never" }, { type: "send" }],
  ["so is a free one", { priceClass: "free", metered: "ask", budget: true, priced: false }, { type: "send" }],
  ["metered members are asked by default", {}, { type: "send" }],
  ["with a budget, the cost is held first", { budget: true }, { type: "hold" }],
  ["never means never", { metered: "never" }, { type: "refuse", why: "never" }],
  ["a yes does not change that", { metered: "never", consent: "yes" }, { type: "refuse", why: "never" }],
  ["a model that the user has chosen is asked", { metered: "never", chosen: true }, { type: "send" }],
  ["but its cost counts", { metered: "never", chosen: true, budget: true }, { type: "hold" }],
  ["the first request is a question", { metered: "ask" }, { type: "ask" }],
  [
    "where nobody can be asked, the answer is no",
    { metered: "ask", canAsk: false },
    { type: "refuse", why: "unasked" },
  ],
  ["a no holds", { metered: "ask", consent: "no" }, { type: "refuse", why: "declined" }],
  ["a yes holds", { metered: "ask", consent: "yes" }, { type: "send" }],
  ["after a yes the budget counts", { metered: "ask", consent: "yes", budget: true }, { type: "hold" }],
  ["an unknown price fits no budget", { budget: true, priced: false }, { type: "refuse", why: "unpriced" }],
  ["and is not even a question", { budget: true, priced: false, metered: "ask" }, { type: "refuse", why: "unpriced" }],
] as const) {
  test(what, () => {
    const usual = { priceClass: "metered", metered: "allow", chosen: false, consent: undefined } as const
    expect(CombinedAdmit.admit({ ...usual, canAsk: true, budget: false, priced: true, ...facts })).toEqual(expected)
  })
}

test("an answer that broke off without a word about its tokens counts as its input", () => {
  const held = { input: 0.2 }
  expect(CombinedAdmit.charged({ reported: 0.01, answered: true }, held)).toBe(0.01)
  expect(CombinedAdmit.charged({ reported: undefined, answered: true }, held)).toBe(0.2)
  expect(CombinedAdmit.charged({ reported: undefined, answered: false }, held)).toBe(0)
})

test("the estimate takes the highest price that may apply", () => {
  const tokens = { input: 100_000, output: 10_000 }
  expect(CombinedPrice.estimate(PAID, tokens)).toEqual({ input: 0.3, total: expect.closeTo(0.45) })
  expect(CombinedPrice.estimate({ ...PAID, cache: { read: 0.3, write: 4 } }, tokens).input).toBe(0.4)
  const long = { ...PAID, experimentalOver200K: { input: 6, output: 30 } }
  expect(CombinedPrice.estimate(long, tokens).total).toBeCloseTo(0.45)
  expect(CombinedPrice.estimate(long, { ...tokens, input: 300_000 }).input).toBeCloseTo(1.8)
  const tiers = { ...PAID, tiers: [{ input: 5, output: 20, tier: { type: "context", size: 50_000 } }] }
  expect(CombinedPrice.estimate(tiers, tokens).total).toBeCloseTo(0.7)
})

test("the tokens of a request are not underestimated, and a file is not counted as text", () => {
  expect(CombinedPrice.tokensOf("word ".repeat(1000))).toBeGreaterThan(1000)
  expect(CombinedPrice.tokensOf("漢字".repeat(1000))).toBeGreaterThan(2000)
  const image = "data:image/png;base64," + "iVBORw0KGgo".repeat(20_000)
  expect(CombinedPrice.tokensOf({ image })).toBeGreaterThan(6000)
  expect(CombinedPrice.tokensOf({ image })).toBeLessThan(10_000)
  expect(CombinedPrice.tokensOf({ data: new Uint8Array(1000) })).toBeGreaterThan(6000)
})

test("an error names each member that may not be asked, and each way out once", () => {
  const bars = ["a/x", "b/y"].map((name) => CombinedWords.bar(member(name), "declined"))
  const text = CombinedNotice.exhausted("glm", [], [], bars)
  expect(text.split("\n")).toEqual([
    "No provider of glm can answer now.",
    'a/x: not asked: it bills each request, which was not allowed in this session (combined.metered is "ask")',
    'b/y: not asked: it bills each request, which was not allowed in this session (combined.metered is "ask")',
    expect.stringContaining("new session"),
  ])
})
