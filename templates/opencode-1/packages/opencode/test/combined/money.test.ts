import { expect, setDefaultTimeout } from "bun:test"
import { Cause, Effect, Exit, Fiber } from "effect"
import { Agent } from "@/agent/agent"
import { CombinedHolds } from "@/combined/host/holds"
import { Permission } from "@/permission"
import { Session } from "@/session/session"
import { rm } from "fs/promises"
import { pollWithTimeout } from "../lib/effect"
import { refuse, text } from "./fake-provider"
import { announced, combinedSession, it, served } from "./rig"

setDefaultTimeout(60_000)

const quota = refuse(402, { error: { code: "insufficient_quota", message: "You have used up your plan" } })

const errorOf = (list: readonly { readonly info: { readonly error?: unknown } }[]) =>
  JSON.stringify(list.at(-1)?.info.error)

/** The fake providers have prices and no login, so both are metered unless the settings say otherwise. */
const classes = (first: "plan" | "metered" | "free", second: "plan" | "metered" | "free" = "metered") => ({
  price_class: { "preferred-*": first, "fallback-*": second },
})

it.instance("with never, a metered member is skipped, however preferred it is", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { metered: "never", ...classes("metered", "plan") } })
    chat.second.answer(text("hello"))
    yield* chat.ask("hello")
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect(chat.first.asked).toHaveLength(0)
  }),
)

it.instance("with never, no request leaves where all members are metered: no turn, title or agent", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false, combined: { metered: "never" } })
    yield* chat.ask("hello")
    const error = errorOf(yield* chat.answers)
    expect(error).toContain(`${chat.ids.first}/glm-4.6: not asked: it bills each request`)
    expect(error).toContain(chat.ids.second)
    expect(error).toContain("set combined.metered to")
    const agents = yield* Agent.Service
    const exit = yield* agents.generate({ description: "reviews", model: chat.model }).pipe(Effect.exit)
    expect(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "").toContain("combined.metered is")
    yield* Effect.sleep(300)
    expect([chat.first, chat.second].flatMap((one) => [...one.asked, ...one.titles])).toEqual([])
  }),
)

it.instance("with never, a used-up plan ends the turn instead of billing", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { metered: "never", ...classes("plan") } })
    chat.first.answer(quota)
    yield* chat.ask("hello")
    const error = errorOf(yield* chat.answers)
    expect(error).toContain("You have used up your plan")
    expect(error).toContain(`${chat.ids.second}/glm-4.6: not asked`)
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("with never, a model that was chosen directly is asked, and nothing metered after it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      alone: true,
      modelIDs: { first: "glm-4.6", second: "kimi-k2.5" },
      chain: ({ second }) => ({ metered: "never", fallback: second }),
    })
    chat.first.answer(text("hello"), quota)
    yield* chat.ask("hello")
    expect(served(yield* chat.answers)).toEqual([chat.ids.first])
    yield* chat.ask("again")
    expect(chat.second.asked).toHaveLength(0)
  }),
)

const pending = Effect.gen(function* () {
  const permission = yield* Permission.Service
  return yield* pollWithTimeout(
    Effect.map(permission.list(), (list) => list.at(0)),
    "nobody was asked",
    "10 seconds",
  )
})

it.instance("with ask, the user is asked once in a session, before the first metered request", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { metered: "ask", ...classes("plan") } })
    const permission = yield* Permission.Service
    chat.first.answer(text("hello"), quota)
    chat.second.answer(text("and on"), text("and on"))
    yield* chat.ask("hello")
    expect(yield* permission.list()).toEqual([])
    const turn = yield* Effect.forkChild(chat.ask("again"))
    const question = yield* pending
    expect(question).toMatchObject({ permission: "metered", sessionID: chat.id })
    expect(question.patterns[0]).toContain(`${chat.ids.second}/glm-4.6`)
    expect(chat.second.asked).toHaveLength(0)
    yield* permission.reply({ requestID: question.id, reply: "once" })
    yield* Fiber.join(turn)
    yield* chat.ask("once more")
    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second, chat.ids.second])
  }),
)

it.instance("with ask, a no holds for the session: another member answers, or an error says why none does", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { metered: "ask", ...classes("metered", "free") } })
    const permission = yield* Permission.Service
    chat.second.answer(text("hello"), refuse(402, { error: { message: "Out" } }))
    const turn = yield* Effect.forkChild(chat.ask("hello"))
    yield* permission.reply({ requestID: (yield* pending).id, reply: "reject" })
    yield* Fiber.join(turn)
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    yield* chat.ask("again")
    expect(yield* permission.list()).toEqual([])
    expect(errorOf(yield* chat.answers)).toContain("not allowed in this session")
    expect(chat.first.asked).toHaveLength(0)
  }),
)

it.instance("with ask, a title waits for the same answer", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false, combined: { metered: "ask" } })
    const permission = yield* Permission.Service
    chat.first.answer(text("hello"))
    const turn = yield* Effect.forkChild(chat.ask("hello"))
    const question = yield* pending
    yield* Effect.sleep(200)
    expect(yield* permission.list()).toHaveLength(1)
    expect([...chat.first.asked, ...chat.first.titles]).toEqual([])
    yield* permission.reply({ requestID: question.id, reply: "once" })
    yield* Fiber.join(turn)
    yield* pollWithTimeout(
      Effect.sync(() => chat.first.titles.length === 1 || undefined),
      "the title was not requested",
      "10 seconds",
    )
    expect(yield* permission.list()).toEqual([])
  }),
)

it.instance("with ask, the user's configuration may answer", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      combined: { metered: "ask" },
      config: { permission: { metered: "allow" } },
    })
    chat.first.answer(text("hello"))
    yield* chat.ask("hello")
    expect(served(yield* chat.answers)).toEqual([chat.ids.first])
  }),
)

it.instance("the user is told once when a plan is used up and requests are billed from there on", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: classes("plan") })
    const lines = yield* announced(chat.id)
    chat.first.answer(quota)
    chat.second.answer(text("hello"), text("and on"))
    yield* chat.ask("hello")
    yield* chat.ask("again")
    const billed = lines.filter((line) => line.includes("bills each request"))
    expect(billed).toEqual([expect.stringContaining(`the plan of ${chat.ids.first} is used up`)])
  }),
)

/** Starts with an empty ledger. */
const anew = Effect.promise(() => rm(CombinedHolds.FILE, { force: true }))

it.instance("a member that may break a cap is left for a cheaper one, and the turn ends when there is none", () =>
  Effect.gen(function* () {
    yield* anew
    // At most 0.02 + 0.08 dollars at the first price of the rig, and ten times as much at the second.
    const chat = yield* combinedSession({
      combined: { budget: { session: 0.15 } },
      models: { first: { cost: { input: 10, output: 20 } }, second: { cost: { input: 1, output: 2 } } },
    })
    chat.second.answer(text("hello", { input: 1000, output: 100 }))
    yield* chat.ask("hello")
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect(chat.first.asked).toHaveLength(0)
    expect((yield* chat.answers)[0].info.cost).toBeCloseTo(0.0012)
    expect(yield* Effect.promise(() => Bun.file(CombinedHolds.FILE).json())).toMatchObject({
      sessions: { [chat.id]: { dollars: (yield* chat.answers)[0].info.cost } },
      holds: {},
    })
  }),
)

it.instance("an answer of a server that reports no tokens counts as its input", () =>
  Effect.gen(function* () {
    yield* anew
    const chat = yield* combinedSession({ combined: { budget: { session: 0.15 } } })
    chat.first.answer(text("hello"))
    yield* chat.ask("hello")
    const ledger = yield* Effect.promise(() => Bun.file(CombinedHolds.FILE).json())
    expect(ledger.sessions[chat.id].dollars).toBeGreaterThan(0.008)
  }),
)

it.instance("an error names the cap, what was spent, and when it ends", () =>
  Effect.gen(function* () {
    yield* anew
    const chat = yield* combinedSession({ combined: { budget: { day: 0.0001 } } })
    yield* chat.ask("hello")
    const error = errorOf(yield* chat.answers)
    expect(error).toContain("combined.budget.day is $0.0001 ($0.00 spent today)")
    expect(error).toContain("The cap of combined.budget.day ends at")
    expect([...chat.first.asked, ...chat.second.asked]).toEqual([])
  }),
)

it.instance("what a subagent costs counts to the session that the user opened", () =>
  Effect.gen(function* () {
    yield* anew
    const chat = yield* combinedSession({ combined: { budget: { session: 5 } } })
    const sessions = yield* Session.Service
    const child = yield* sessions.create({ parentID: chat.id, title: "Child" })
    chat.first.answer(text("hello"))
    yield* chat.ask("hello", { sessionID: child.id })
    const ledger = yield* Effect.promise(() => Bun.file(CombinedHolds.FILE).json())
    expect(Object.keys(ledger.sessions)).toEqual([chat.id])
  }),
)

it.instance("a price that nobody knows fits no budget", () =>
  Effect.gen(function* () {
    yield* anew
    const unknown = { cost: undefined }
    const chat = yield* combinedSession({
      combined: { budget: { day: 5 }, price_class: { "preferred-*": "metered" } },
      models: { first: unknown },
    })
    chat.second.answer(text("hello"))
    yield* chat.ask("hello")
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect(chat.first.asked).toHaveLength(0)
  }),
)
