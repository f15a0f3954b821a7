/** What `opencode2 run` prints: nothing that is taken back. */
import { expect, test } from "bun:test"
import { CombinedPrinting } from "../../src/combined/printing"

const sessionID = "ses_one"

const event = (type: string, text = "", more: Record<string, unknown> = {}) => ({
  type: `session.${type}`,
  data: { sessionID, text, ...more },
})

type Event = ReturnType<typeof event>

const started = event("step.started")
const ended = event("step.ended")
const text = (words: string) => event("text.ended", words)
const called = event("tool.called", "", { executed: false })
const done = event("execution.succeeded")

async function* stream(events: readonly Event[]) {
  yield* events
}

/** The texts in the order in which they are printed, and whatever else came, by its type. */
async function printed(events: readonly Event[], providerID = "combined") {
  const run = { sessionID, format: "default", model: { providerID } }
  const found: string[] = []
  const settled = CombinedPrinting.settled(run, stream(events))
  while (true) {
    const next = await settled.next()
    if (next.done) return found
    found.push(next.value.data.text || next.value.type.replace("session.", ""))
  }
}

test("a text comes with the end of its step, before it", async () => {
  expect(await printed([started, text("a"), ended])).toEqual(["step.started", "a", "step.ended"])
})

test("a text of a step that starts again is never printed, its replacement is", async () => {
  const found = await printed([started, text("half"), started, text("whole"), ended, done])
  expect(found).toEqual(["step.started", "step.started", "whole", "step.ended", "execution.succeeded"])
})

test("a text before a tool that has started stays, and comes before it; one after it can be taken back", async () => {
  const found = await printed([started, text("a"), called, text("half"), started, text("b"), done])
  expect(found).toEqual(["step.started", "a", "tool.called", "step.started", "b", "execution.succeeded"])
})

test("a tool that the provider runs itself is a part of its answer", async () => {
  const search = event("tool.called", "", { executed: true })
  expect(await printed([started, text("half"), search, started, text("a"), ended])).toEqual([
    "step.started",
    "tool.called",
    "step.started",
    "a",
    "step.ended",
  ])
})

test("an accepted text without an end is printed when the events end", async () => {
  expect(await printed([started, text("a")])).toEqual(["step.started", "a"])
})

test("events of other sessions are passed on at once, and so is everything of a model that is not combined", async () => {
  const other = event("text.ended", "other", { sessionID: "ses_two" })
  expect(await printed([started, text("a"), other, ended])).toEqual(["step.started", "other", "a", "step.ended"])
  expect(await printed([started, text("a"), started], "alpha")).toEqual(["step.started", "a", "step.started"])
})
