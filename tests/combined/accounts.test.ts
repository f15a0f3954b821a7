import { expect, test } from "bun:test"
import { CombinedRank } from "@/combined/choice/rank"
import { CombinedAccounts, type Accounts } from "@/combined/health/accounts"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthStore } from "@/combined/health/store"
import type { Window } from "@/combined/health/window"
import { CombinedSettings } from "@/combined/settings"
import { CombinedNotice } from "@/combined/turn/notice"
import { parsed } from "@/combined/value"

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
const DAY = 24 * HOUR

const window = (percent: number, more: Partial<Window> = {}): Window => ({
  name: "5-hour window",
  usedShare: percent / 100,
  endsAt: NOW + 2 * HOUR,
  lengthSeconds: 5 * 3600,
  plan: true,
  ofModel: false,
  ...more,
})

const members = ["claude", "chatgpt", "router"].map((providerID) => ({ providerID, modelID: "glm" }))
const [claude, chatgpt, router] = members

type Combined = NonNullable<CombinedSettings.Info["combined"]>

const account = ({ providerID }: { providerID: string }) => ({ providerID, credentials: "key" })

const seen = (accounts: Accounts, providerID: string, windows: readonly Window[], now = NOW, modelID = "glm") =>
  CombinedAccounts.see(accounts, { providerID, credentials: "key" }, modelID, windows, now)

const choose = (
  accounts: Accounts,
  more: Partial<CombinedRank.View> & { readonly windows?: Combined["windows"] } = {},
) => {
  const { windows, now = NOW, ...view } = more
  const settings = CombinedSettings.failover({ combined: { windows } })
  return CombinedRank.choose(members, {
    state: new Map(),
    now,
    nearlyUsed: (item) => CombinedAccounts.nearlyUsed(accounts, item, account(item), settings.threshold, now),
    ...(settings.soonest && { ends: (item) => CombinedAccounts.endsNext(accounts, item, account(item), now) }),
    ...view,
  })
}

const served = (...args: Parameters<typeof choose>) => {
  const choice = choose(...args)
  return choice.type === "serve" ? choice.member.providerID : undefined
}

const used = (...percents: (number | undefined)[]) =>
  members.reduce<Accounts>((known, { providerID }, index) => {
    const percent = percents[index]
    return percent === undefined ? known : seen(known, providerID, [window(percent)])
  }, CombinedAccounts.NONE)

test("a member whose plan is nearly used up is left for the next one, and returns at the reset", () => {
  expect(served(used(94.9))).toBe("claude")
  expect(choose(used(95))).toEqual({
    type: "serve",
    member: chatgpt,
    fits: true,
    spared: { member: claude, window: window(95) },
  })
  expect(served(used(96, 99))).toBe("router")
  expect(served(used(96), { now: NOW + 2 * HOUR - 1 })).toBe("chatgpt")
  expect(served(used(96), { now: NOW + 2 * HOUR })).toBe("claude")
})

test("it is used up to the end if no other member can take the request", () => {
  expect(served(used(96, 97, 98))).toBe("claude")
  expect(served(used(96), { fits: (member) => member === claude })).toBe("claude")
  expect(served(used(96), { open: (member) => member === claude })).toBe("claude")
  const down = CombinedCooldown.fail(
    CombinedCooldown.fail(new Map(), "chatgpt", "glm", { kind: "quota", scope: "provider", message: "" }, NOW),
    "router",
    "glm",
    { kind: "network", scope: "provider", message: "" },
    NOW,
  )
  expect(served(used(96), { state: down })).toBe("claude")
})

test("it still comes before a last resort, one that failed and one that is tested, but a warm cache does not keep it", () => {
  const others = { last: (item: { providerID: string }) => item.providerID !== "claude" }
  expect(served(used(96), { lastResort: others.last })).toBe("claude")
  expect(served(used(96), { left: (item) => Number(others.last(item)) })).toBe("claude")
  expect(served(used(96), { probed: others.last })).toBe("claude")
  expect(served(used(96), { warm: (item) => item === claude })).toBe("chatgpt")
})

test("every window counts, and the member returns when the last one ends", () => {
  const week = window(97, { name: "weekly window", endsAt: NOW + 3 * DAY, lengthSeconds: 7 * 86_400 })
  const both = seen(CombinedAccounts.NONE, "claude", [window(99), week])
  expect(choose(both)).toMatchObject({ spared: { window: { name: "weekly window" } } })
  const later = seen(both, "claude", [{ ...week, usedShare: 0.98 }], NOW + 2 * DAY + HOUR)
  expect(served(later, { now: NOW + 2 * DAY + 2 * HOUR })).toBe("chatgpt")
  expect(served(later, { now: NOW + 3 * DAY })).toBe("claude")
})

test("a share that was reported long ago is checked with one request", () => {
  const week = window(97, { name: "weekly window", endsAt: NOW + 5 * DAY })
  const known = seen(CombinedAccounts.NONE, "claude", [week])
  expect(served(known, { now: NOW + DAY - 1 })).toBe("chatgpt")
  expect(served(known, { now: NOW + DAY })).toBe("claude")
  expect(served(seen(known, "claude", [week], NOW + DAY), { now: NOW + DAY + 1 })).toBe("chatgpt")
})

test("the limits of an API key only count if the user says so", () => {
  const limit = window(99, { plan: false, ofModel: true, name: "requests" })
  const known = seen(CombinedAccounts.NONE, "claude", [limit])
  expect(served(known)).toBe("claude")
  expect(served(known, { windows: { threshold: 90 } })).toBe("chatgpt")
  expect(served(known, { windows: { providers: { Claude: 99 } } })).toBe("chatgpt")
  expect(served(known, { windows: { providers: { claude: 100 } } })).toBe("claude")
  // A provider that sells nothing but subscriptions.
  const { threshold } = CombinedSettings.failover({})
  expect([threshold("zai-coding-plan", limit), threshold("groq", limit), threshold("groq", window(1))]).toEqual([
    95,
    undefined,
    95,
  ])
})

test("a threshold can be changed and switched off, for one provider or for all", () => {
  expect(served(used(90), { windows: { threshold: 90 } })).toBe("chatgpt")
  expect(served(used(96), { windows: { threshold: 99 } })).toBe("claude")
  expect(served(used(100), { windows: { threshold: "off" } })).toBe("claude")
  expect(served(used(100), { windows: { providers: { claude: "off" } } })).toBe("claude")
  expect(served(used(100, 100), { windows: { threshold: "off", providers: { claude: 50 } } })).toBe("chatgpt")
})

test("with the order soonest, equals are asked by the end of their window, and those without one last", () => {
  const ends = (providerID: string, hours: number, known = CombinedAccounts.NONE) =>
    seen(known, providerID, [window(10, { endsAt: NOW + hours * HOUR })])
  const known = ends("router", 1, ends("chatgpt", 2))
  const windows = { order: "soonest" } as const
  expect(served(known, { windows })).toBe("router")
  expect(served(known)).toBe("claude")
  expect(served(known, { windows, warm: (item) => item === claude })).toBe("claude")
  expect(served(known, { windows, now: NOW + HOUR })).toBe("chatgpt")
  expect(served(known, { windows, now: NOW + 2 * HOUR })).toBe("claude")
  expect(served(CombinedAccounts.NONE, { windows })).toBe("claude")
})

test("the order soonest does not change the order of different models in a chain", () => {
  const known = seen(CombinedAccounts.NONE, "router", [window(10, { endsAt: NOW + HOUR })])
  const ends = (item: { providerID: string; modelID: string }) =>
    CombinedAccounts.endsNext(known, item, account(item), NOW)
  const chain = [
    { ...claude, identity: "one" },
    { providerID: "router", modelID: "other", identity: "two" },
    { providerID: "router", modelID: "one", identity: "one" },
  ]
  expect(CombinedRank.rank(chain, { state: new Map(), now: NOW, ends }).map((item) => item.modelID)).toEqual([
    "one",
    claude.modelID,
    "other",
  ])
})

test("what counts for one model does not hold back another, and each account has its own", () => {
  const own = window(99, { ofModel: true })
  const known = seen(CombinedAccounts.NONE, "claude", [own], NOW, "z-ai/glm")
  const { threshold } = CombinedSettings.failover({})
  const held = (modelID: string, credentials: string | undefined) =>
    CombinedAccounts.nearlyUsed(
      known,
      { providerID: "claude", modelID },
      { providerID: "claude", credentials },
      threshold,
      NOW,
    ) !== undefined
  expect([held("z-ai/glm", "key"), held("glm", "key"), held("z-ai/glm", "other"), held("z-ai/glm", undefined)]).toEqual(
    [true, false, false, true],
  )
})

test("an answer replaces what an earlier one said, and one without news changes nothing", () => {
  const first = seen(CombinedAccounts.NONE, "claude", [window(50)])
  expect(seen(first, "claude", [window(50.1)], NOW + 1000)).toBe(first)
  expect(seen(first, "claude", [], NOW + 1000)).toBe(first)
  expect(seen(first, "claude", [window(51)], NOW + 1000)).not.toBe(first)
  expect(seen(first, "claude", [window(50)], NOW + HOUR)).not.toBe(first)
  // The vendor now counts a week: the old window is not waited for.
  const week = window(10, { name: "weekly window", endsAt: NOW + 3 * DAY })
  expect(served(seen(used(99), "claude", [week], NOW + 1))).toBe("claude")
})

test("windows that have ended, are from the future or look wrong are forgotten, and their number is bounded", () => {
  const known = used(10, 20)
  expect(CombinedAccounts.current(known, NOW)).toBe(known)
  expect(CombinedAccounts.current(known, NOW + 2 * HOUR).size).toBe(0)
  expect(CombinedAccounts.current(known, NOW - 1).size).toBe(0)
  const many = new Map(
    Array.from({ length: 1000 }, (_, index) => [`p${index}/key`, { at: NOW - index, windows: [window(1)] }]),
  )
  const kept = CombinedAccounts.current(many, NOW)
  expect([kept.size <= 300, kept.has("p0/key"), kept.has("p999/key")]).toEqual([true, true, false])
})

test("it is in the health file, beside what other versions read and write there", () => {
  const state = CombinedCooldown.fail(new Map(), "a", "b", { kind: "quota", scope: "model", message: "" }, NOW)
  const known = used(10, 99)
  const text = CombinedCooldown.format(state, CombinedAccounts.plain(known))
  expect(CombinedAccounts.read(parsed(text))).toEqual(known)
  expect(CombinedCooldown.read(parsed(text))).toEqual(state)
  expect(CombinedAccounts.read(parsed(CombinedCooldown.format(state)))).toEqual(CombinedAccounts.NONE)
  for (const wrong of [
    "",
    "[]",
    '{"accounts":[1]}',
    '{"accounts":{"a/b":{"at":1,"windows":[{"name":"x"}]}}}',
    JSON.stringify({ accounts: { "a/b": { at: NOW, windows: [{ ...window(5), usedShare: 1e9 }] } } }),
    JSON.stringify({ accounts: { "a/b": { at: NOW, windows: [{ ...window(5), endsAt: NOW + 400 * DAY }] } } }),
  ])
    expect(CombinedAccounts.read(parsed(wrong)).size).toBe(0)
})

test("all processes know it, a later report wins, and deleting the file ends it", () => {
  const disk: { text?: string; stamp: number } = { stamp: 0 }
  const shelf: CombinedHealthStore.Shelf = {
    stamp: () => (disk.text === undefined ? undefined : String(disk.stamp)),
    read: () => disk.text,
    replace: (text) => void Object.assign(disk, { text, stamp: disk.stamp + 1 }),
    alone: (act) => (act(), true),
    until: (done) => void done(0),
  }
  const open = () =>
    CombinedHealthStore.open(
      shelf,
      (state) => state,
      (known) => CombinedAccounts.current(known, NOW + 10),
    )
  const [one, other] = [open(), open()]
  one.see((known) => seen(known, "claude", [window(97)]))
  expect(served(other.accounts())).toBe("chatgpt")
  other.update((state) => CombinedCooldown.fail(state, "x", "y", { kind: "quota", scope: "model", message: "" }, NOW))
  expect(served(one.accounts())).toBe("chatgpt")
  other.see((known) => seen(known, "claude", [window(5)], NOW + 5))
  expect(served(one.accounts())).toBe("claude")
  // An older version knows nothing of it, and drops it; whoever knows it writes it again.
  other.see((known) => seen(known, "claude", [window(98)], NOW + 6))
  shelf.replace(CombinedCooldown.format(new Map()))
  expect(served(other.accounts())).toBe("chatgpt")
  expect(served(open().accounts())).toBe("chatgpt")
  disk.text = undefined
  expect([one, other].map((store) => store.accounts().size)).toEqual([0, 0])
})

test("the notice says what is used and until when, in local time", () => {
  const now = new Date(2026, 10, 28, 9, 0).getTime()
  const at = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime()
  expect(CombinedNotice.nearlyUsed(window(96.9, { endsAt: at(2026, 10, 28, 14, 5) }), now)).toBe(
    "96 % of its 5-hour window used, until 14:05",
  )
  const week = window(100, { name: "weekly window", endsAt: at(2026, 11, 1, 8, 0) })
  expect(CombinedNotice.nearlyUsed(week, now)).toBe("100 % of its weekly window used, until 2026-12-01 08:00")
})
