/** What `opencode run` prints: nothing that is later taken back. */
import { expect, test } from "bun:test"
import { CombinedRun } from "@/combined/seam/run"

const sessionID = "ses_one"

type Event = { readonly type: string; readonly properties: Record<string, unknown> }

const part = (id: string, type: string, more: Record<string, unknown> = {}, messageID = "msg_1"): Event => ({
  type: "message.part.updated",
  properties: { sessionID, part: { id, messageID, sessionID, type, ...more } },
})

const text = (id: string, messageID?: string) => part(id, "text", { text: id, time: { start: 1, end: 2 } }, messageID)
const ended = (id: string, reason: string, messageID?: string) => part(id, "step-finish", { reason }, messageID)
const tool = (id: string, status: string) => part(id, "tool", { state: { status } })
const answer = (id: string): Event => ({
  type: "message.updated",
  properties: { sessionID, info: { id, sessionID, role: "assistant" } },
})
const removed = (messageID: string): Event => ({ type: "message.removed", properties: { sessionID, messageID } })
const removedPart = (partID: string): Event => ({
  type: "message.part.removed",
  properties: { sessionID, messageID: "msg_1", partID },
})
const idle: Event = { type: "session.status", properties: { sessionID, status: { type: "idle" } } }
const error: Event = { type: "session.error", properties: { sessionID, error: { name: "x" } } }

/** The ids of the parts in the order in which they are printed. */
async function printed(...events: Event[]) {
  async function* stream() {
    yield* events
  }
  const found: string[] = []
  for await (const event of CombinedRun.settled(stream(), sessionID)) {
    const id = (event.properties.part as { id: string } | undefined)?.id
    if (id) found.push(id)
  }
  return found
}

for (const [what, events, expected] of [
  ["a text comes with the end of its step, before it", [text("p1"), ended("p2", "stop"), idle], ["p1", "p2"]],
  [
    "a discarded partial text is never printed, its replacement is",
    [
      text("p1"),
      ended("p2", "unknown"),
      removed("msg_1"),
      answer("msg_2"),
      text("p3", "msg_2"),
      ended("p4", "stop", "msg_2"),
      idle,
    ],
    ["p2", "p3", "p4"],
  ],
  ["nor one whose step ended with an error", [text("p1"), ended("p2", "error"), removed("msg_1"), idle], ["p2"]],
  [
    "an accepted partial text is printed when the session is idle",
    [text("p1"), ended("p2", "unknown"), idle],
    ["p2", "p1"],
  ],
  ["or when the next answer begins", [text("p1"), ended("p2", "unknown"), answer("msg_2")], ["p2", "p1"]],
  ["or when the turn ends with an error", [text("p1"), error, idle], ["p1"]],
  ["or when the stream of events ends", [text("p1")], ["p1"]],
  [
    "a text before a finished tool stays, and comes before it",
    [text("p1"), tool("p2", "running"), tool("p2", "completed")],
    ["p2", "p1", "p2"],
  ],
  [
    "a text after the last finished tool may be removed",
    [text("p1"), tool("p2", "running"), text("p3"), tool("p2", "completed"), removedPart("p3"), idle],
    ["p2", "p1", "p2"],
  ],
  [
    "the record of a step that moves to the next message comes once",
    [ended("p1", "unknown"), removed("msg_1"), ended("p1", "unknown", "msg_2"), idle],
    ["p1"],
  ],
] as const)
  test(what, async () => expect(await printed(...events)).toEqual([...expected]))

test("another session's events are passed on at once", async () => {
  const other = part("p1", "text", { sessionID: "ses_other", time: { start: 1, end: 2 } })
  expect(await printed(other, idle)).toEqual(["p1"])
})
