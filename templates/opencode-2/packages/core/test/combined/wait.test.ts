import "./own-state"
import { expect, test } from "bun:test"
import { spawnSync } from "child_process"
import { Effect, Fiber } from "effect"
import { mkdirSync, readFileSync, writeFileSync } from "fs"
import path from "path"
import { CombinedAnswer } from "../../src/combined/choice/answer"
import { CombinedRunnerWait } from "../../src/combined/runner/wait"
import { Global } from "../../src/global"
import { SessionMessage } from "../../src/session/message"
import type { SessionSchema } from "../../src/session/schema"
import { marked } from "./route-sample"

const FILE = path.join(Global.Path.state, "combined-waits.json")

const noted = () => Object.keys(JSON.parse(readFileSync(FILE, "utf8")).sessions)

/** Leaves the waits as a killed process does. */
function killed(...sessions: readonly string[]) {
  const owner = spawnSync("true").pid
  const since = Date.now() - 1000
  const failures = [{ providerID: "aaa", modelID: "m", message: "429" }]
  const one = { since, end: since + 60_000, message: "msg_1", kept: false, failures, owner, seen: since }
  mkdirSync(path.dirname(FILE), { recursive: true })
  writeFileSync(
    FILE,
    JSON.stringify({ version: 1, sessions: Object.fromEntries(sessions.map((session) => [session, one])) }),
  )
}

test("a turn that waited in a killed process is resumed once, under its message; that of a subagent is not", async () => {
  killed("ses_parent", "ses_child", "ses_gone")
  const suspended: string[] = []
  const known: Readonly<Record<string, object>> = { ses_parent: {}, ses_child: { parentID: "ses_parent" } }
  const store = {
    get: (id: SessionSchema.ID) => Effect.succeed(known[id]),
    suspend: (ids: readonly SessionSchema.ID[]) => Effect.sync(() => void suspended.push(...ids)),
  }
  await Effect.runPromise(CombinedRunnerWait.suspend(store))
  expect(suspended).toEqual(["ses_parent"])
  const found = CombinedRunnerWait.resumed("ses_parent")
  expect(found?.message as string).toBe("msg_1")
  expect(found?.answer.failures.map((failure) => failure.message)).toEqual(["429"])
  expect(found?.answer.waits[0]).toBeGreaterThanOrEqual(1000)
  expect(CombinedRunnerWait.resumed("ses_parent")).toBeUndefined()
})

test("a new prompt ends a wait that nobody has resumed", () => {
  killed("ses_parent")
  expect(CombinedRunnerWait.resumed("ses_parent")).toBeUndefined()
  expect(noted()).toEqual([])
})

test("a wait is noted until its turn ends, but not if the service ends", async () => {
  killed()
  const { route } = marked("chat", "glm-4.6", { wait: true })
  const span = { for: 60_000, until: Date.now() + 60_000, long: true }
  route.run.answer = CombinedAnswer.wait(route.run.answer, span)
  const waits = CombinedRunnerWait.wait({ ...route, members: [] }, span, {
    message: SessionMessage.ID.make("msg_1"),
    kept: false,
  })
  const stopped = Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(waits)
    while (!noted().length) yield* Effect.sleep(10)
    yield* Fiber.interrupt(fiber)
  })
  await Effect.runPromise(stopped)
  CombinedRunnerWait.settled(route.session, { type: "interrupted", reason: "shutdown" })
  expect(noted()).toEqual([route.session])
  CombinedRunnerWait.settled(route.session, { type: "interrupted", reason: "user" })
  expect(noted()).toEqual([])
})
