import { expect, setDefaultTimeout, test } from "bun:test"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect, Option } from "effect"
import * as Stream from "effect/Stream"
import { CombinedTurn } from "@/combined/driver/turn"
import { CombinedRetraction } from "@/combined/driver/retraction"
import { CombinedRoute } from "@/combined/provider/route"
import { CombinedAttempt } from "@/combined/request/attempt"
import { CombinedFit } from "@/combined/request/fit"
import { CombinedAgentCreate } from "@/combined/whole/agent"
import { CombinedTitle } from "@/combined/whole/title"
import { MessageV2 } from "@/session/message-v2"
import type { LLM } from "@/session/llm"
import { pair } from "./light"

setDefaultTimeout(60_000)

/** Cooldowns end before the others have failed, so that somebody can always be asked. */
const SHORT = { cooldown: { max: 20 } }

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
      const input = {
        model,
        small: true,
        retries: 2,
        tools: {},
        system: [],
        messages: [],
        sessionID: "ses_x",
        agent: { name: "title", options: {} },
        user: { id: "msg_t", model: { providerID: "combined", modelID: "x" } },
      } as unknown as LLM.StreamInput
      yield* Stream.runDrain(CombinedTitle.wrap(send)(input)).pipe(Effect.ignore)
    }),
  )
  expect(sent.count).toBeGreaterThan(2)
  expect(sent.count).toBeLessThan(7)
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

/** As upstream gives it after a compaction: the summary in front, then what it kept. */
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

test("after a compaction the request is measured without what was summed up", async () => {
  expect(CombinedFit.needs(compacted()).tokens).toBe(0)
  const { ids, model } = pair({}, { limit: { context: 1_000_000, output: 32_000 } })
  const found = await Effect.runPromise(Effect.flatMap(model, (first) => CombinedFit.fit(first, compacted())))
  expect(String(found.providerID)).toBe(ids.first)
})

test("a step that is never sent keeps no member from the steps after it", async () => {
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

test("a refusal of thinking behind a finished tool keeps the tool", async () => {
  const removed: string[] = []
  const events: string[] = []
  await Effect.runPromise(
    Effect.gen(function* () {
      const model = yield* pair().model
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
      const state = {
        status: "completed",
        input: {},
        output: "ran",
        title: "",
        metadata: {},
        time: { start: 1, end: 2 },
      }
      const part = {
        id: "prt_9",
        messageID: "msg_9",
        sessionID: "ses_9",
        type: "tool",
        tool: "bash",
        callID: "one",
        state,
      }
      const session = {
        findMessage: () => Effect.succeed(Option.some({ info: assistantMessage, parts: [part] })),
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
      }
      const streamInput = { model, tools: {}, messages: [], user: { id: "msg_8", model: {} }, agent: {}, system: [] }
      const turn = {
        ctx,
        streamInput,
        session,
        status: { set: () => Effect.void },
        handleEvent: (event: { type: string }) => Effect.sync(() => void events.push(event.type)),
        parse: () => ({ name: "UnknownError", data: { message: "" } }),
        halt: () => Effect.die(new Error("halted")),
      } as unknown as CombinedTurn.Turn
      const attempt = Effect.suspend(() => {
        const made = CombinedAttempt.make(turn.streamInput)
        made.calls.set("one", { name: "bash", input: {}, outcome: Promise.resolve({ ok: true, value: "ran" }) })
        CombinedRoute.of(model)!.state.attempt = made
        return Effect.fail(new Error("messages.3: Invalid `signature` in `thinking` block"))
      })
      yield* CombinedTurn.guard(turn)(attempt)
      yield* CombinedRetraction.settle(turn.ctx, turn.session)
    }),
  )
  expect(removed).toEqual([])
  expect(events).toEqual(["step-finish"])
})
