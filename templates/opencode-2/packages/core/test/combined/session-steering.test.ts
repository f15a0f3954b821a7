import { expect } from "bun:test"
import { Effect, Exit, Fiber } from "effect"
import { CombinedSteer } from "../../src/combined/choice/steer"
import { CombinedLive } from "../../src/combined/host/live"
import { CombinedSteering } from "../../src/combined/host/steering"
import { CombinedRunnerConclusion } from "../../src/combined/runner/conclusion"
import { CombinedRunnerMembers } from "../../src/combined/runner/members"
import { CombinedRunnerSessions } from "../../src/combined/runner/sessions"
import { CombinedRunnerSteering } from "../../src/combined/runner/steering"
import { Database } from "../../src/database/database"
import { LayerNode } from "../../src/effect/layer-node"
import { Project } from "../../src/project"
import { ProjectTable } from "../../src/project/sql"
import { AbsolutePath } from "../../src/schema"
import { SessionSchema } from "../../src/session/schema"
import { SessionTable } from "../../src/session/sql"
import { testEffect } from "../lib/effect"
import { marked } from "./route-sample"

const it = testEffect(LayerNode.compile(Database.node))

const [parent, child] = ["ses_steered", "ses_subagent"].map((id) => SessionSchema.ID.make(id))

/** A session and its subagent's session. */
const stored = Effect.gen(function* () {
  const { db } = yield* Database.Service
  yield* db
    .insert(ProjectTable)
    .values({ id: Project.ID.global, worktree: AbsolutePath.make("/project"), sandboxes: [] })
    .onConflictDoNothing()
    .run()
  const common = { project_id: Project.ID.global, slug: "steered", directory: "/project", title: "", version: "test" }
  yield* db
    .insert(SessionTable)
    .values([
      { ...common, id: parent, metadata: { theirs: 1 } },
      { ...common, id: child, parent_id: parent },
    ])
    .run()
  const sessions = CombinedRunnerSessions.sessions(db)
  CombinedRunnerSteering.open(sessions)
  const of = CombinedRunnerSteering.of
  return { sessions, of }
})

it.effect("what the user wants is stored with the session, and holds for its subagents", () =>
  Effect.gen(function* () {
    const { sessions, of } = yield* stored
    expect(yield* of(child)).toEqual({})
    yield* CombinedSteering.change(sessions, parent, (before) => CombinedSteer.skip(before, "alpha", true))
    expect(yield* of(parent)).toEqual({ skip: ["alpha"] })
    expect(yield* of(child)).toEqual({ skip: ["alpha"] })
    expect((yield* sessions.get(parent)).metadata).toEqual({ theirs: 1, combined: { skip: ["alpha"] } })
    // A subagent can undo a skip of its parent.
    yield* CombinedSteering.change(sessions, child, (before) => CombinedSteer.skip(before, "alpha", false))
    expect(yield* of(child)).toEqual({})
    expect(yield* of(parent)).toEqual({ skip: ["alpha"] })
    expect(yield* sessions.children(parent)).toEqual([child])
  }),
)

it.effect("a session that is gone has no wishes, and none can be stored", () =>
  Effect.gen(function* () {
    const { sessions, of } = yield* stored
    const gone = SessionSchema.ID.make("ses_gone")
    expect(yield* of(gone)).toEqual({})
    expect(Exit.isFailure(yield* Effect.exit(CombinedSteering.change(sessions, gone, () => ({ off: true }))))).toBe(
      true,
    )
  }),
)

it.effect("with failover off nobody else is asked, and the error says so", () =>
  Effect.sync(() => {
    const { route } = marked("chat", "glm-4.6")
    route.run.steer = { off: true }
    expect(CombinedRunnerMembers.allowed(route)).toEqual([route.members[0]])
    expect(CombinedRunnerMembers.exhausted(route)).toContain("Failover is off in this session")
  }),
)

it.effect("a running attempt ends when the user asks for the next provider, if there is one", () =>
  Effect.gen(function* () {
    const { route } = marked("chat", "glm-4.6")
    const running = yield* CombinedLive.during(Effect.never, CombinedRunnerConclusion.subject(route, "step")).pipe(
      Effect.exit,
      Effect.forkChild({ startImmediately: true }),
    )
    expect(CombinedLive.asked(route.session)).toEqual([`${route.member.providerID}/glm-4.6`])
    route.run.steer = { pin: route.member.providerID }
    expect(yield* CombinedLive.pass(route.session)).toEqual({ running: 1, moved: 0 })
    route.run.steer = {}
    expect(yield* CombinedLive.pass(route.session)).toEqual({ running: 1, moved: 1 })
    expect(Exit.isFailure(yield* Fiber.join(running))).toBe(true)
    expect(CombinedLive.asked(route.session)).toEqual([])
  }),
)
