/** What a user wants in a session: pin, skip, no failover, and "next provider now". */
import { expect, setDefaultTimeout } from "bun:test"
import { Effect, Fiber } from "effect"
import { CombinedLive } from "@/combined/host/live"
import { CombinedSteering } from "@/combined/host/steering"
import { CombinedSteer, type Steer } from "@/combined/choice/steer"
import type { SessionID } from "@/session/schema"
import { Session } from "@/session/session"
import { pollWithTimeout } from "../lib/effect"
import { finish, gate, refuse, say, stream, text } from "./fake-provider"
import { combinedSession, it, served, texts } from "./rig"

setDefaultTimeout(30_000)

const steer = (id: SessionID, change: (steer: Steer) => Steer) =>
  Session.Service.use((sessions) => CombinedSteering.change(sessions, id, change))

it.instance("a pinned member is asked first, and nobody else when it fails", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    yield* steer(chat.id, (before) => CombinedSteer.pin(before, `${chat.ids.second}/glm-4.6`))
    chat.second.answer(text("one"), refuse(402, { error: { message: "Insufficient credit" } }))
    yield* chat.ask("hello")
    const failed = yield* chat.ask("again")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second, chat.ids.second])
    expect(chat.first.asked).toHaveLength(0)
    const error = failed.info.role === "assistant" ? JSON.stringify(failed.info.error) : ""
    expect(error).toContain("Insufficient credit")
    expect(error).toContain(`${chat.ids.second}/glm-4.6 is pinned in this session`)
  }),
)

it.instance("a skipped member is not asked from the next attempt on, and only in this session", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(text("one"), text("elsewhere"))
    chat.second.answer(text("two"))
    yield* chat.ask("hello")
    yield* steer(chat.id, (before) => CombinedSteer.skip(before, chat.ids.first, true))
    yield* chat.ask("again")
    const other = yield* chat.fork
    yield* other.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second])
    expect(served(yield* other.answers)).toEqual([chat.ids.first])
  }),
)

it.instance("with all members skipped the error says so", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    yield* steer(chat.id, () => ({ skip: [chat.ids.first, chat.ids.second] }))
    const result = yield* chat.ask("hello")

    const error = result.info.role === "assistant" ? JSON.stringify(result.info.error) : ""
    expect(error).toContain("skipped in this session")
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([0, 0])
  }),
)

it.instance("with failover off the first member's failure ends the turn", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    yield* steer(chat.id, (before) => ({ ...before, off: true }))
    chat.first.answer(refuse(402, { error: { message: "Insufficient credit" } }))
    const result = yield* chat.ask("hello")

    const error = result.info.role === "assistant" ? JSON.stringify(result.info.error) : ""
    expect(error).toContain("Insufficient credit")
    expect(error).toContain("Failover is off in this session")
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("a title is made by whom the user wants asked in the session", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false })
    yield* steer(chat.id, (before) => CombinedSteer.skip(before, `${chat.ids.first}/glm-4.6`, true))
    chat.second.answerTitle(text("From the second"))
    chat.second.answer(text("hello"))
    yield* chat.ask("hello")
    const sessions = yield* Session.Service
    yield* pollWithTimeout(
      sessions.get(chat.id).pipe(Effect.map((found) => (found.title === "From the second" ? true : undefined))),
      "the title never came",
    )

    expect([chat.first.titles.length, chat.second.titles.length]).toEqual([0, 1])
  }),
)

it.instance("a subagent's session follows the one that started it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const sessions = yield* Session.Service
    const child = yield* sessions.create({ parentID: chat.id })
    yield* steer(chat.id, () => ({ pin: "x" }))
    expect(yield* CombinedSteering.of(sessions, child.id)).toEqual({ pin: "x" })
    yield* steer(child.id, (before) => CombinedSteer.pin(before, undefined))
    expect(yield* CombinedSteering.of(sessions, child.id)).toEqual({})
    expect(yield* CombinedSteering.of(sessions, chat.id)).toEqual({ pin: "x" })
  }),
)

it.instance("the next provider answers at once when the user asks for it, and nobody cools", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const door = gate()
    chat.first.answer(stream(say("half "), door.wait), text("well"))
    chat.second.answer(text("whole"))
    const turn = yield* Effect.forkChild(chat.ask("hello"))
    yield* chat.holds((part) => part.type === "text")
    expect(CombinedLive.asked(chat.id)).toEqual([`${chat.ids.first}/glm-4.6`])
    expect(yield* CombinedLive.pass(chat.id)).toEqual({ running: 1, moved: 1 })
    yield* Fiber.join(turn)
    yield* door.open

    const answers = yield* chat.answers
    expect(answers.flatMap((item) => texts(item.parts))).toEqual(["whole"])
    expect(served(answers)).toEqual([chat.ids.second])
    expect(CombinedLive.asked(chat.id)).toEqual([])
    const other = yield* chat.fork
    yield* other.ask("hello")
    expect(served(yield* other.answers)).toEqual([chat.ids.first])
  }),
)

it.instance("without another provider the running request goes on", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const door = gate()
    yield* steer(chat.id, (before) => CombinedSteer.pin(before, chat.ids.first))
    chat.first.answer(stream(say("half "), door.wait, say("whole"), ...finish("stop")))
    const turn = yield* Effect.forkChild(chat.ask("hello"))
    yield* chat.holds((part) => part.type === "text")
    expect(yield* CombinedLive.pass(chat.id)).toEqual({ running: 1, moved: 0 })
    yield* door.open
    yield* Fiber.join(turn)

    expect((yield* chat.answers).flatMap((item) => texts(item.parts))).toEqual(["half whole"])
  }),
)
