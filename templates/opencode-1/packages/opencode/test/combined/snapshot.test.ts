import { expect, test } from "bun:test"
import { CombinedSnapshot } from "@/combined/driver/snapshot"
import { CombinedRoute } from "@/combined/provider/route"
import type { LLM } from "@/session/llm"
import { MessageID, SessionID } from "@/session/schema"
import { LLMEvent } from "@opencode-ai/llm"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Deferred, Effect, Fiber } from "effect"
import * as Stream from "effect/Stream"
import { ProviderTest } from "../fake/provider"

const plain = ProviderTest.model({ id: ModelV2.ID.make("glm"), providerID: ProviderV2.ID.make("acme") })
const member = CombinedRoute.mark(plain, {} as Parameters<typeof CombinedRoute.mark>[1])

/** The message of an attempt at the answer to the same user's message, and the state of its processor. */
function attempt(sessionID: SessionID, model = member) {
  const assistantMessage = {
    id: MessageID.ascending(),
    parentID: MessageID.make("msg_asked"),
    sessionID,
  } as SessionV1.Assistant
  return { assistantMessage, sessionID, model, snapshot: undefined as string | undefined }
}

/** Snapshots that are only ready when the test says so. `taken` counts them. */
function camera() {
  const ready = Deferred.makeUnsafe<string | undefined>()
  const count = { taken: 0 }
  const track = Effect.suspend(() => {
    count.taken++
    return Deferred.await(ready)
  })
  return { track, count, develop: (hash: string | undefined) => Deferred.succeed(ready, hash) }
}

const event = LLMEvent.textDelta({ id: "text", text: "hello" })

const input = (tools: LLM.StreamInput["tools"] = {}) => ({ model: member, tools }) as LLM.StreamInput

const [WAIT, TOOL] = [SessionID.make("ses_wait"), SessionID.make("ses_tool")]

const called = { toolCallId: "call_one", messages: [] }

/** Ends the step of an attempt after a tool. `stored` are the parts that are written. */
function end(ctx: ReturnType<typeof attempt>, track: Effect.Effect<string | undefined>) {
  const stored: unknown[] = []
  const session = {
    updateMessage: (message: unknown) => Effect.succeed(message),
    updatePart: (part: unknown) => Effect.sync(() => stored.push(part)),
  }
  const snapshot = { track: () => track, patch: (hash: string) => Effect.succeed({ hash, files: ["changed"] }) }
  const step = { ctx, session, snapshot, summary: { summarize: () => Effect.void } }
  const finish = CombinedSnapshot.finish(
    step as unknown as Parameters<typeof CombinedSnapshot.finish>[0],
    LLMEvent.stepFinish({ index: 0, reason: "tool-calls" }) as Parameters<typeof CombinedSnapshot.finish>[1],
  )
  return { finish, stored }
}

test("after a tool the next request does not wait for the snapshot, but the first event of its answer does", () =>
  Effect.gen(function* () {
    const [before, ctx, { track, develop }] = [attempt(WAIT), attempt(WAIT), camera()]
    before.snapshot = "start"
    const { finish, stored } = end(before, track)
    yield* finish
    expect(before.assistantMessage.finish).toBe("tool-calls")
    expect(yield* CombinedSnapshot.begin(ctx, Effect.die("taken again"))).toBeUndefined()
    const sent: string[] = []
    const answer = CombinedSnapshot.stream(ctx, input(), () => {
      sent.push("request")
      return Stream.make(event)
    })
    const seen = yield* Stream.runForEach(answer, () => Effect.sync(() => sent.push(`event at ${ctx.snapshot}`))).pipe(
      Effect.forkChild({ startImmediately: true }),
    )
    yield* Effect.yieldNow
    expect([sent, stored]).toEqual([["request"], []])
    yield* develop("hash")
    yield* Fiber.join(seen)
    expect(sent).toEqual(["request", "event at hash"])
    expect(stored).toMatchObject([
      { type: "step-finish", snapshot: "hash", messageID: before.assistantMessage.id },
      { type: "patch", hash: "start", files: ["changed"] },
    ])
  }).pipe(Effect.runPromise))

test("a tool starts when the snapshot is ready, and not at all once the user has cancelled", async () => {
  const [before, ctx, { track, develop }] = [attempt(TOOL), attempt(TOOL), camera()]
  await Effect.runPromise(end(before, track).finish)
  await Effect.runPromise(CombinedSnapshot.begin(ctx, Effect.die("taken again")))
  const ran: (string | undefined)[] = []
  const execute = async () => ran.push(ctx.snapshot)
  const tools: Record<string, LLM.StreamInput["tools"][string]> = {}
  CombinedSnapshot.stream(ctx, input({ write: { inputSchema: {} as never, execute } }), (held) => {
    Object.assign(tools, held.tools)
    return Stream.empty
  })
  const cancelled = new AbortController()
  const started = tools.write.execute?.({}, called)
  const stopped = tools.write.execute?.({}, { ...called, abortSignal: cancelled.signal })
  cancelled.abort()
  await Promise.resolve()
  expect(ran).toEqual([])
  await Effect.runPromise(develop("hash"))
  await started
  await expect(stopped).rejects.toThrow()
  expect(ran).toEqual(["hash"])
})

test("the next attempt at an answer has the snapshot of the one before, unless a tool has started since", async () => {
  const sessionID = SessionID.make("ses_again")
  const { track, count, develop } = camera()
  await Effect.runPromise(develop("hash"))
  const [first, second] = [attempt(sessionID), attempt(sessionID)]
  await Effect.runPromise(CombinedSnapshot.begin(first, track))
  await Effect.runPromise(CombinedSnapshot.begin(second, track))
  expect(count.taken).toBe(1)
  const execute = async () => {}
  const tools: Record<string, LLM.StreamInput["tools"][string]> = {}
  CombinedSnapshot.stream(second, input({ write: { inputSchema: {} as never, execute } }), (held) => {
    Object.assign(tools, held.tools)
    return Stream.empty
  })
  await tools.write.execute?.({}, called)
  await Effect.runPromise(CombinedSnapshot.begin(attempt(sessionID), track))
  expect(count.taken).toBe(2)
})

test("for another user's message, and for another session, there is a snapshot of its own", async () => {
  const { track, count, develop } = camera()
  await Effect.runPromise(develop("hash"))
  const first = attempt(SessionID.make("ses_one"))
  const asked = { ...first.assistantMessage, id: MessageID.ascending(), parentID: MessageID.make("msg_later") }
  for (const next of [first, { ...first, assistantMessage: asked }, attempt(SessionID.make("ses_two"))])
    await Effect.runPromise(CombinedSnapshot.begin(next, track))
  expect(count.taken).toBe(3)
})

test("a model that is not combined waits for its snapshot as usual", async () => {
  const [ctx, { track, develop }] = [attempt(SessionID.make("ses_plain"), plain), camera()]
  await Effect.runPromise(develop("hash"))
  expect(await Effect.runPromise(CombinedSnapshot.begin(ctx, track))).toBe("hash")
})
