/** What follows a request to a member: watch it, learn from how it ended, decide what happens next, and log it. */
import { Effect } from "effect"
import { CombinedRun } from "../choice/run"
import { CombinedFailure } from "../failure/classify"
import { CombinedLive } from "../host/live"
import { CombinedWatch } from "../host/watch"
import { CombinedMember } from "../member"
import { CombinedDecide } from "../turn/decide"
import { CombinedProgress } from "../turn/progress"
import { CombinedRunnerAttempt } from "./attempt"
import { CombinedRunnerMembers } from "./members"
import type { CombinedRunnerRoute } from "./route"

type Route = CombinedRunnerRoute.Route

/** Fails once the member has been silent for too long and another one can answer. */
export const watch = (
  route: Route,
  attempt: CombinedRunnerAttempt.Attempt,
  purpose: CombinedDecide.Purpose,
): Effect.Effect<never, CombinedWatch.Silence> =>
  CombinedWatch.watch(
    () => {
      const silence = CombinedProgress.silence(attempt)
      const lost = CombinedRunnerAttempt.lostOf(attempt, silence)
      return { silence, lost, started: attempt.firstToken !== undefined }
    },
    route.settings,
    Effect.sync(() => CombinedRunnerMembers.others(route, purpose, { relieves: true })),
  )

/** An attempt, in the form in which a user can end it. */
export const subject = (route: Route, purpose: CombinedDecide.Purpose) => ({
  sessionID: route.session,
  member: route.member,
  others: Effect.gen(function* () {
    route.run.steer = yield* route.wishes
    const answer = CombinedDecide.without(route.run.answer, route.member, CombinedLive.PASSED)
    return CombinedRunnerMembers.others(route, purpose, { answer })
  }),
})

/** Learns from an attempt that has ended, decides what happens, and logs it. */
export function conclude(
  route: Route,
  attempt: CombinedRunnerAttempt.Attempt,
  subject: CombinedRunnerAttempt.Subject & { readonly answer?: string },
  purpose: CombinedDecide.Purpose,
  end: CombinedDecide.End,
  error?: unknown,
) {
  const { run, member, settings } = route
  CombinedRunnerAttempt.learn(route, error)
  const { suspects } = run.answer
  const { began, calls } = attempt
  const answer = CombinedDecide.without(run.answer, member, end)
  const others = end.kind === "whole" || CombinedRunnerMembers.others(route, purpose, { answer })
  // Upstream builds the request for a title or a summary, and no part of it can be left out.
  const forgone = purpose === "step" ? CombinedRun.forgone(run, member) : new Set(CombinedFailure.FORGOABLE)
  const settled = CombinedRunnerMembers.settle(route, { purpose, end, settings, others, forgone, error, began, calls })
  const { verdict, action } = settled
  const served = verdict.type === "serve"
  if (served) CombinedRunnerMembers.succeed(route, suspects, began)
  else run.owed = (run.owed ?? 0) + CombinedRunnerAttempt.spent(attempt, subject.cost).cost
  CombinedRunnerAttempt.record(attempt, route, subject, {
    action,
    ...(end.kind !== "whole" && !served && { failure: CombinedDecide.classOf(end), reason: end.message }),
    ...(calls > 0 && !served && { tools: calls }),
    ...(verdict.type === "move" && { next: CombinedMember.key(verdict.to) }),
    ...(verdict.type === "again" && { next: CombinedMember.key(member) }),
  })
  return settled
}

export * as CombinedRunnerConclusion from "./conclusion"
