/** What happened stays in the transcript, but the model does not see it. */
import { expect, setDefaultTimeout } from "bun:test"
import { Effect } from "effect"
import { CombinedHappening } from "@/combined/view/happening"
import { EventV2Bridge } from "@/event-v2-bridge"
import type { SessionID } from "@/session/schema"
import { SessionStatus } from "@/session/status"
import { refuse, text } from "./fake-provider"
import { combinedSession, it, texts } from "./rig"

setDefaultTimeout(30_000)

const QUOTA = refuse(402, { error: { message: "Insufficient credit" } })

/** What the session's statuses say about retries, from now on. */
const retries = Effect.fn("test.retries")(function* (id: SessionID) {
  const events = yield* EventV2Bridge.Service
  const messages: string[] = []
  const off = yield* events.listen((item) => {
    if (item.type !== SessionStatus.Event.Status.type) return Effect.void
    const { sessionID, status } = item.data as typeof SessionStatus.Event.Status.data.Type
    if (sessionID === id && status.type === "retry") messages.push(status.message)
    return Effect.void
  })
  yield* Effect.addFinalizer(() => off)
  return messages
})

it.instance("a failover is a line of the answer, once, and no request has it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(QUOTA)
    chat.second.answer(text("one"), text("two"))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    const lines = answers.map((item) => item.parts.flatMap((part) => CombinedHappening.of(part)?.message ?? []))
    expect(lines).toEqual([[`${chat.ids.first} (402 Insufficient credit), ${chat.ids.second} takes over`], []])
    expect(answers[0].parts[0].type).toBe("retry")
    expect(JSON.stringify(chat.second.asked)).not.toContain("takes over")
  }),
)

it.instance("a repeat in place says so, and the lines of several failures stay in order", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { max_attempts: 2 } })
    const statuses = yield* retries(chat.id)
    const busy = refuse(503, { error: { message: "Busy" } })
    chat.first.answer(busy, busy)
    chat.second.answer(text("whole"))
    yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(answers.flatMap((item) => texts(item.parts))).toEqual(["whole"])
    const actions = answers.flatMap((item) => item.parts.flatMap((part) => CombinedHappening.of(part)?.action ?? []))
    expect(actions).toEqual(["repeated", "moved"])
    // The web UI shows the session's status, but not these lines.
    expect(statuses[0]).toMatch(/\), retrying$/)
    expect(statuses.at(-1)).toEndWith("takes over")
  }),
)

it.instance("a session that starts without a provider says so, once", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(QUOTA)
    chat.second.answer(text("one"), text("two"), text("three"))
    yield* chat.ask("hello")
    const other = yield* chat.fork
    yield* other.ask("hello")
    yield* other.ask("again")

    const lines = (yield* other.answers).map((item) => item.parts.flatMap((part) => CombinedHappening.of(part) ?? []))
    expect(lines.map((item) => item.map((line) => line.action))).toEqual([["left out"], []])
    expect(lines[0][0].message).toMatch(/ unavailable until .*\d\d:\d\d \(quota\), using /)
  }),
)
