import { expect, test } from "bun:test"
import type { AgentSideConnection } from "@agentclientprotocol/sdk"
import { Effect } from "effect"
import { ACPEvent } from "@/acp/event"
import { CombinedACPEvent } from "@/combined/seam/acp-event"

type Update = Parameters<AgentSideConnection["sessionUpdate"]>[0]["update"]

/** A client that has one session and was told about these parts of it. */
function client(parts: Record<string, { partType?: string; toolCallId?: string }>) {
  const updates: Update[] = []
  return {
    updates,
    connection: {
      sessionUpdate: async (params: { update: Update }) => {
        updates.push(params.update)
      },
    },
    session: {
      tryGet: (id: string) => Effect.succeed(id === "ses_one" ? {} : undefined),
      tryGetPartMetadata: (place: { partId: string }) => Effect.succeed(parts[place.partId]),
    },
  }
}

const removed = (partID: string, sessionID = "ses_one") => ({
  type: "message.part.removed",
  properties: { sessionID, messageID: "msg_one", partID },
})

const status = (message: string, type = "retry") => ({
  type: "session.status",
  properties: { sessionID: "ses_one", status: { type, message } },
})

test("a discarded tool call is ended, and may be announced again", async () => {
  const editor = client({ prt_tool: { partType: "tool", toolCallId: "call_one" } })
  const forgotten: string[] = []
  await CombinedACPEvent.follow(removed("prt_tool"), editor, (id) => forgotten.push(id))
  expect(editor.updates).toEqual([{ sessionUpdate: "tool_call_update", toolCallId: "call_one", status: "failed" }])
  expect(forgotten).toEqual(["call_one"])
})

test("a thought tells the client that a text was discarded", async () => {
  const editor = client({ prt_text: { partType: "text" } })
  await CombinedACPEvent.follow(removed("prt_text"), editor, () => expect.unreachable())
  expect(editor.updates).toMatchObject([{ sessionUpdate: "agent_thought_chunk", content: { type: "text" } }])
  expect(JSON.stringify(editor.updates)).toContain("was discarded")
})

test("it is not told about parts that it does not show, nor about other sessions", async () => {
  const editor = client({ prt_step: { partType: "step-start" }, prt_text: { partType: "text" } })
  await CombinedACPEvent.follow(removed("prt_step"), editor, () => expect.unreachable())
  await CombinedACPEvent.follow(removed("prt_unknown"), editor, () => expect.unreachable())
  await CombinedACPEvent.follow(removed("prt_text", "ses_other"), editor, () => expect.unreachable())
  expect(editor.updates).toEqual([])
})

test("a switch is announced, upstream's own retries are not", async () => {
  const editor = client({})
  await CombinedACPEvent.follow(status("Failover: alpha (503), beta takes over"), editor, () => expect.unreachable())
  await CombinedACPEvent.follow(status("Too many requests"), editor, () => expect.unreachable())
  await CombinedACPEvent.follow(status("Failover: alpha (503), beta takes over", "busy"), editor, () =>
    expect.unreachable(),
  )
  expect(editor.updates).toEqual([
    {
      sessionUpdate: "agent_thought_chunk",
      content: { type: "text", text: "Failover: alpha (503), beta takes over\n" },
    },
  ])
})

test("upstream's own handling of the same events hides none of it", async () => {
  const editor = client({ prt_text: { partType: "text" } })
  const subscription = new ACPEvent.Subscription({ sdk: {}, ...editor } as unknown as ConstructorParameters<
    typeof ACPEvent.Subscription
  >[0])
  for (const event of [status("Failover: alpha (503), beta takes over"), removed("prt_text")])
    await subscription.handle(event as unknown as Parameters<typeof subscription.handle>[0])
  expect(editor.updates).toMatchObject([
    { sessionUpdate: "agent_thought_chunk" },
    { sessionUpdate: "agent_thought_chunk" },
  ])
})

test("disconnected clients and events of other kinds do not stop upstream's code", async () => {
  const editor = client({ prt_text: { partType: "text" } })
  const gone = { ...editor, connection: { sessionUpdate: () => Promise.reject(new Error("closed")) } }
  await CombinedACPEvent.follow(removed("prt_text"), gone, () => {})
  await CombinedACPEvent.follow({ type: "permission.asked", properties: {} }, editor, () => expect.unreachable())
  expect(editor.updates).toEqual([])
})
