import { expect, setDefaultTimeout, test } from "bun:test"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { LLMEvent } from "@opencode-ai/llm"
import { Effect } from "effect"
import * as Stream from "effect/Stream"
import { CombinedTurn } from "@/combined/driver/turn"
import { CombinedRetraction } from "@/combined/driver/retraction"
import { CombinedRoute } from "@/combined/provider/route"
import { CombinedAttempt } from "@/combined/request/attempt"
import { CombinedFit } from "@/combined/request/fit"
import { CombinedAgentCreate } from "@/combined/whole/agent"
import { CombinedTitle } from "@/combined/whole/title"
import { MessageV2 } from "@/session/message-v2"
import type { Provider } from "@/provider/provider"
import type { LLM } from "@/session/llm"
import { pair } from "./light"

setDefaultTimeout(60_000)

/** Cooldowns that end before the other members have failed, so that there is always a member to ask. */
const SHORT = { cooldown: { max: 20 } }

const titleInput = (model: Provider.Model) =>
  ({
    model,
    small: true,
    retries: 2,
    tools: {},
    system: [],
    messages: [],
    sessionID: "ses_x",
    agent: { name: "title", options: {} },
    user: { id: "msg_t", model: { providerID: "combined", modelID: "x" } },
  }) as unknown as LLM.StreamInput

test("a title whose answer is always empty ends", async () => {
  const sent = { count: 0 }
  const send = (() =>
    Stream.unwrap(
      Effect.gen(function* () {
        sent.count++
        yield* Effect.sleep(30)
        return Stream.fromIterable([{ type: "step-finish", reason: "stop", index: 0 }])
      }),
    )) as unknown as LLM.Interface["stream"]
  await Effect.runPromise(
    Effect.gen(function* () {
      const model = yield* pair(SHORT).model
      yield* Stream.runDrain(CombinedTitle.wrap(send)(titleInput(model))).pipe(Effect.ignore)
    }),
  )
  expect(sent.count).toBeGreaterThan(2)
  expect(sent.count).toBeLessThan(7)
})

test("a served title resets the consecutive failures of its member", async () => {
  const events = [
    { type: "text-delta", id: "1", text: "A title" },
    { type: "step-finish", reason: "stop", index: 0 },
  ]
  const send = (() => Stream.fromIterable(events)) as unknown as LLM.Interface["stream"]
  const found = await Effect.runPromise(
    Effect.gen(function* () {
      const { model } = pair({ cooldown: { max: 1 } })
      yield* CombinedRoute.of(yield* model)!.fail({ kind: "server", scope: "model", message: "503" })
      yield* Effect.sleep(5)
      const asked = yield* model
      const before = yield* CombinedRoute.of(asked)!.unproven
      yield* Stream.runDrain(CombinedTitle.wrap(send)(titleInput(asked)))
      return [before, yield* CombinedRoute.of(asked)!.unproven]
    }),
  )
  expect(found).toEqual([true, false])
})

test("agent create with wrong keys everywhere ends", async () => {
  const sent = { count: 0 }
  const { service, asked } = pair(SHORT)
  const ask = CombinedAgentCreate.fn(service)(function* (_input: object) {
    sent.count++
    yield* Effect.sleep(30)
    return yield* Effect.fail(Object.assign(new Error("bad key"), { statusCode: 401 }))
  })
  const ended = await Effect.runPromiseExit(Effect.flatMap(asked, (model) => ask({ model })))
  expect(ended._tag).toBe("Failure")
  expect(sent.count).toBeLessThan(7)
})

const tokens = (input: number) => ({ input, output: 100, reasoning: 0, cache: { read: 0, write: 0 } })

const message = (id: string, info: object, parts: readonly object[] = [{ type: "text", text: "x" }]) =>
  ({
    info: { id, sessionID: "ses_x", time: { created: 1, completed: 2 }, ...info },
    parts,
  }) as unknown as SessionV1.WithParts
const user = (id: string, parts?: readonly object[]) => message(id, { role: "user" }, parts)
const answer = (id: string, parentID: string, more: object) =>
  message(id, { role: "assistant", parentID, finish: "stop", ...more })

/** What upstream returns after a compaction: the summary first, then what it kept. */
const compacted = () =>
  MessageV2.filterCompacted(
    [
      user("msg_01"),
      answer("msg_02", "msg_01", { tokens: tokens(150_000) }),
      user("msg_03"),
      answer("msg_04", "msg_03", { tokens: tokens(180_000) }),
      user("msg_05", [{ type: "compaction", auto: false, tail_start_id: "msg_03" }]),
      answer("msg_06", "msg_05", { summary: true, tokens: tokens(180_500) }),
      user("msg_07"),
    ].toReversed(),
  )

test("after a compaction the request is measured without the summarised messages", async () => {
  expect(CombinedFit.needs(compacted()).tokens).toBe(0)
  const { ids, model } = pair({}, { limit: { context: 1_000_000, output: 32_000 } })
  const found = await Effect.runPromise(Effect.flatMap(model, (first) => CombinedFit.fit(first, compacted())))
  expect(String(found.providerID)).toBe(ids.first)
})

test("a step that is never sent does not keep a member from later steps", async () => {
  const { ids, model } = pair({ cooldown: { max: 1 } })
  const found = await Effect.runPromise(
    Effect.gen(function* () {
      yield* CombinedRoute.of(yield* model)!.fail({ kind: "server", scope: "model", message: "503" })
      yield* Effect.sleep(5)
      const one = yield* CombinedFit.fit(yield* model, [user("msg_1")])
      const two = yield* CombinedFit.fit(yield* model, [user("msg_1"), user("msg_2", [{ type: "compaction" }])])
      return [one, two].map((item) => String(item.providerID))
    }),
  )
  expect(found).toEqual([ids.first, ids.first])
})

test("discarded attempts are counted over the whole run, even if the user sends messages in between", async () => {
  const { model } = pair()
  const counted = Effect.gen(function* () {
    const one = yield* CombinedFit.fit(yield* model, [user("msg_1")])
    CombinedRoute.of(one)!.run!.retracted = 2
    const two = yield* CombinedFit.fit(yield* model, [user("msg_1"), user("msg_2")])
    return CombinedFit.retractions(two)
  })
  expect(await Effect.runPromise(counted)).toBe(2)
  // When a loop runs again on the same message, it starts from its first step.
  const anew = Effect.flatMap(model, (first) => CombinedFit.fit(first, [user("msg_1"), user("msg_2")]))
  expect(CombinedFit.retractions(await Effect.runPromise(anew))).toBe(0)
})

test("a member that said the conversation is too long has no more room for it", async () => {
  const { ids, model } = pair({}, { limit: { context: 1_000_000, output: 32_000 } })
  const found = await Effect.runPromise(
    Effect.gen(function* () {
      const route = CombinedRoute.of(yield* CombinedFit.fit(yield* model, [user("msg_1")]))!
      const before = yield* CombinedFit.roomier(route, route.run!, tokens(180_000))
      route.run!.tooLong.set(`${ids.second}/glm-4.6`, 968_000)
      return [before, yield* CombinedFit.roomier(route, route.run!, tokens(180_000))]
    }),
  )
  expect(found).toEqual([true, false])
})

type Heard = (ctx: CombinedTurn.Turn["ctx"], event: LLMEvent) => Effect.Effect<void, unknown>

/** A turn without a session around it, with the first of two members. */
const turnAt = (model: Provider.Model, parts: readonly object[], heard: Heard) => {
  const removed: string[] = []
  const assistantMessage = {
    id: "msg_9",
    parentID: "msg_8",
    sessionID: "ses_9",
    role: "assistant",
    providerID: model.providerID,
    modelID: model.id,
    cost: 0,
    tokens: tokens(1),
    time: { created: 1 },
  } as unknown as SessionV1.Assistant
  const session = {
    get: () => Effect.succeed({}),
    messages: () => Effect.succeed([{ info: assistantMessage, parts }]),
    removePart: (item: { partID: string }) => Effect.sync(() => removed.push(item.partID)),
    removeMessage: (item: { messageID: string }) => Effect.sync(() => removed.push(item.messageID)),
    updatePart: Effect.succeed,
    updateMessage: Effect.succeed,
  }
  const ctx = {
    sessionID: "ses_9",
    assistantMessage,
    model,
    toolcalls: {},
    blocked: false,
    needsCompaction: false,
    reasoningMap: {},
  } as unknown as CombinedTurn.Turn["ctx"]
  const turn = {
    ctx,
    streamInput: { model, tools: {}, messages: [], user: { id: "msg_8", model: {} }, agent: {}, system: [] },
    session,
    status: { set: () => Effect.void },
    handleEvent: (event: LLMEvent) => heard(ctx, event),
    parse: () => ({ name: "UnknownError", data: { message: "" } }),
    halt: () => Effect.die(new Error("halted")),
  } as unknown as CombinedTurn.Turn
  const play = (attempt: Effect.Effect<void, unknown>) =>
    CombinedTurn.guard(turn)(attempt).pipe(
      Effect.ensuring(CombinedRetraction.settle(turn.ctx, turn.session)),
      Effect.exit,
    )
  return { turn, removed, play }
}

/** A turn whose attempt calls these tools and then fails with this message. */
const turnWith = Effect.fn("test.turnWith")(function* (
  tools: readonly string[],
  parts: readonly object[],
  heard: Heard,
  failure: string,
) {
  const model = yield* pair().model
  const { turn, removed, play } = turnAt(model, parts, heard)
  const attempt = Effect.suspend(() => {
    const made = CombinedAttempt.make(turn.streamInput)
    for (const id of tools)
      made.calls.set(id, { name: "bash", input: {}, outcome: Promise.resolve({ ok: true, value: "ran" }) })
    CombinedRoute.of(model)!.state.attempt = made
    return Effect.fail(Object.assign(new Error(failure), { statusCode: 400 }))
  })
  return { ended: yield* play(attempt), removed }
})

/**
 * A request that is built while these members fail elsewhere. Returns how often it was built and sent, and what was
 * removed.
 */
const overtaken = Effect.fn("test.overtaken")(function* (...members: readonly ("first" | "second")[]) {
  const { ids, model: first } = pair()
  const model = yield* first
  const route = CombinedRoute.of(model)!
  const { turn, removed, play } = turnAt(model, [], () => Effect.void)
  const counts = { built: 0, sent: 0 }
  const send = ((_: LLM.StreamInput) =>
    Stream.fromEffect(
      Effect.gen(function* () {
        counts.built++
        if (counts.built === 1)
          for (const member of members)
            yield* route.blame(
              { providerID: ids[member], modelID: model.id },
              { kind: "quota", scope: "model", message: "" },
            )
        const { gate } = CombinedAttempt.of(model)!
        gate.unsent = !gate.mayAsk()
        if (gate.unsent) return yield* Effect.fail(new Error("Not sent"))
        counts.sent++
        turn.ctx.assistantMessage.finish = "tool-calls"
        return { type: "step-start", index: 0 }
      }),
    )) as unknown as LLM.Interface["stream"]
  const attempt = Effect.suspend(() => Stream.runDrain(CombinedTurn.stream(turn.ctx, turn.streamInput, send)))
  const ended = yield* play(attempt)
  return { ended: ended._tag, ...counts, removed }
})

test("a member that fails elsewhere while its request is built is not asked", async () => {
  const one = await Effect.runPromise(overtaken("first"))
  expect(one).toEqual({ ended: "Success", built: 1, sent: 0, removed: ["msg_9"] })
})

test("it is asked all the same where nobody else can answer", async () => {
  const both = await Effect.runPromise(overtaken("first", "second"))
  expect(both).toEqual({ ended: "Success", built: 2, sent: 1, removed: [] })
})

test("what another member meets meanwhile is no reason to choose again", async () => {
  const other = await Effect.runPromise(overtaken("second"))
  expect(other).toEqual({ ended: "Success", built: 1, sent: 1, removed: [] })
})

test("a refusal of thinking after a finished tool keeps the tool", async () => {
  const state = { status: "completed", input: {}, output: "ran", title: "", metadata: {}, time: { start: 1, end: 2 } }
  const stored = { messageID: "msg_9", sessionID: "ses_9", type: "tool", tool: "bash" }
  const events: string[] = []
  const heard: Heard = (_, event) => Effect.sync(() => void events.push(event.type))
  const { ended, removed } = await Effect.runPromise(
    turnWith(
      ["one"],
      [{ id: "prt_9", callID: "one", state, ...stored }],
      heard,
      "messages.3: Invalid `signature` in `thinking` block",
    ),
  )
  expect(ended._tag).toBe("Success")
  expect(removed).toEqual([])
  expect(events).toEqual(["step-finish"])
})

test("unreported calls keep their results if the user says no to a loop of them", async () => {
  const events: string[] = []
  const heard: Heard = (ctx, event) =>
    Effect.suspend(() => {
      if (event.type !== "tool-call" && event.type !== "tool-result") return Effect.void
      events.push(`${event.type} ${event.id}`)
      if (event.type === "tool-result") return Effect.void
      ctx.toolcalls[event.id] = {}
      return event.id === "one" ? Effect.fail({ _tag: "PermissionRejectedError" }) : Effect.void
    })
  const { ended, removed } = await Effect.runPromise(turnWith(["one", "two"], [], heard, "fetch failed"))
  expect(ended.toString()).toContain("PermissionRejectedError")
  expect(removed).toEqual([])
  expect(events).toEqual(["tool-call one", "tool-result one", "tool-call two", "tool-result two"])
})
