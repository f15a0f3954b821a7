/** A plan that is nearly used up, according to the headers of its successful answers. */
import { afterEach, expect, setDefaultTimeout, setSystemTime } from "bun:test"
import { Effect } from "effect"
import { CombinedAccounts } from "@/combined/health/accounts"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { type Answer, call, finish, refuse, stream, text } from "./fake-provider"
import { pollWithTimeout } from "../lib/effect"
import { announced, combinedSession, it, served } from "./rig"
import { parsed } from "@/combined/value"

setDefaultTimeout(120_000)

afterEach(() => void setSystemTime())

const HOUR = 3_600_000

/** A ChatGPT login that has used this much of its 5-hour window, which ends in an hour. */
const plan = (percent: number) => ({
  "x-codex-primary-used-percent": String(percent),
  "x-codex-primary-window-minutes": "300",
  "x-codex-primary-reset-after-seconds": "3600",
})

const saying = (headers: Record<string, string>, answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
})

it.instance("the next turn goes to the other member before a request is refused, and back after the reset", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { stickiness: 0 } })
    const lines = yield* announced(chat.id)
    chat.first.answer(saying(plan(94), text("one")), saying(plan(96), text("two")), saying(plan(1), text("five")))
    chat.second.answer(text("three"), text("four"))
    for (const words of ["a", "b", "c", "d"]) yield* chat.ask(words)
    setSystemTime(Date.now() + HOUR)
    yield* chat.ask("e")

    const { first, second } = chat.ids
    expect(served(yield* chat.answers)).toEqual([first, first, second, second, first])
    // It is only said once, when another member takes over.
    expect(lines).toHaveLength(1)
    expect(lines[0]).toStartWith(`Failover: ${first} (96 % of its 5-hour window used, until `)
    expect(lines[0]).toEndWith(`), ${second} takes over`)
  }),
)

it.instance("the other member continues a turn with tools, and no tool runs twice", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const input = { command: "echo ran >> ran", description: "Leave a mark" }
    chat.first.answer(saying(plan(99), stream(call(0, "call_one", "bash", input), ...finish("tool_calls"))))
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second])
    expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
  }),
)

it.instance("without another member the plan is used up to the end", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { stickiness: 0 } })
    chat.first.answer(saying(plan(99), text("one")), saying(plan(100), text("three")), text("four"))
    const spent = { error: { message: "You exceeded your current quota", code: "insufficient_quota" } }
    chat.second.answer(refuse(429, spent))
    for (const words of ["a", "b", "c"]) yield* chat.ask(words)

    const { first } = chat.ids
    expect(served(yield* chat.answers)).toEqual([first, first, first])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([3, 1])
  }),
)

it.instance("the threshold is a setting", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { stickiness: 0, windows: { threshold: "off" } } })
    chat.first.answer(saying(plan(100), text("one")), text("two"))
    yield* chat.ask("a")
    yield* chat.ask("b")
    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.first])
  }),
)

it.instance("the limits of an API key do not count by default", () =>
  Effect.gen(function* () {
    const limits = { "x-ratelimit-limit": "50", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "7200" }
    const chat = yield* combinedSession({ combined: { stickiness: 0 } })
    chat.first.answer(saying(limits, text("one")), text("two"))
    yield* chat.ask("a")
    yield* chat.ask("b")
    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.first])
  }),
)

it.instance("what is known is in the health file, by account", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(saying(plan(97), text("one")))
    yield* chat.ask("a")

    const read = Effect.promise(() => Bun.file(CombinedHealthFile.FILE).text())
    const known = yield* pollWithTimeout(
      read.pipe(
        Effect.map((file) =>
          [...CombinedAccounts.read(parsed(file))].filter(([key]) => key.startsWith(`${chat.ids.first}/`)),
        ),
        Effect.map((found) => (found.length ? found : undefined)),
      ),
      "what the answer said of the plan was never written",
      "10 seconds",
    )
    expect(known).toMatchObject([[expect.stringMatching(/\/[0-9a-f]{16}$/), { windows: [{ usedShare: 0.97 }] }]])
  }),
)
