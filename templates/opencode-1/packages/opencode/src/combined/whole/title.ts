/**
 * Titles go to the LLM layer directly, without a processor. They have no tools and are not shown while they stream. So
 * an answer is held back until it is complete.
 */
import type { Permission } from "@/permission"
import type { LLM } from "@/session/llm"
import type { LLMEvent } from "@opencode-ai/llm"
import { Cause, Effect } from "effect"
import * as Stream from "effect/Stream"
import { CombinedRun } from "../choice/run"
import type { Steer } from "../choice/steer"
import { CombinedFailure } from "../failure/classify"
import { CombinedWatch } from "../host/watch"
import { CombinedPool } from "../host/pool"
import { CombinedPrice } from "../money/price"
import { CombinedRoute } from "../provider/route"
import { CombinedAttempt } from "../request/attempt"
import { CombinedConclusion } from "../request/conclusion"
import type { CombinedDecide } from "../turn/decide"
import { CombinedAsk } from "./ask"

type Send = LLM.Interface["stream"]

/** Without a `permission` service, the user cannot be asked for consent. */
export function wrap(send: Send, permission?: Permission.Interface): Send {
  return (given) => {
    const input = { ...given, agent: own(given.agent) }
    return input.small
      ? Stream.unwrap(
          CombinedRoute.chained(input.model, [input.agent.name, input.user.agent]).pipe(
            Effect.map((model) => titled(send, permission, { ...input, model }, CombinedRoute.of(input.model)?.steer)),
          ),
        )
      : CombinedRoute.of(input.model)
        ? send(input)
        : noted(send(input), input.model)
  }
}

/** Removes `fallback`: upstream takes every unknown key of an agent for an option of its model. */
function own(agent: LLM.StreamInput["agent"]): LLM.StreamInput["agent"] {
  if (!agent.options || !("fallback" in agent.options)) return agent
  const { fallback: _, ...options } = agent.options
  return { ...agent, options }
}

function titled(
  send: Send,
  permission: Permission.Interface | undefined,
  input: LLM.StreamInput,
  steer: Steer = {},
): ReturnType<Send> {
  if (!CombinedRoute.of(input.model)) return noted(send(input), input.model)
  // Upstream has no variants for small requests.
  const user = { ...input.user, model: { ...input.user.model, variant: undefined } }
  const request = { ...input, user, retries: 0 }
  const last: { made?: CombinedAttempt.Attempt } = {}
  const how = {
    attempt: (model: LLM.StreamInput["model"]) => attempt(send, { ...request, model }, model !== input.model, last),
    request: {
      session: Effect.succeed(input.parentSessionID ?? input.sessionID),
      permission,
      rules: () => [...input.agent.permission, ...(input.permission ?? [])],
      tokens: () => CombinedPrice.tokensOf(input.system, input.messages),
    },
    bill: () => CombinedAttempt.bill(last.made),
  }
  return Stream.unwrap(
    CombinedAsk.ask(input.model, how, { ...CombinedRun.make(), steer }).pipe(
      Effect.map((events) => Stream.fromIterable(events)),
    ),
  )
}

/** The answer of a model that was chosen directly. If the answer ends properly, its provider is well. */
function noted(answer: ReturnType<Send>, model: LLM.StreamInput["model"]): ReturnType<Send> {
  const began = Date.now()
  return answer.pipe(
    Stream.tap((event) =>
      Effect.sync(() => {
        if (event.type === "step-finish" && event.reason !== "unknown" && event.reason !== "error")
          CombinedPool.well({ providerID: model.providerID, modelID: model.id }, began)
      }),
    ),
  )
}

const attempt = (send: Send, input: LLM.StreamInput, moved: boolean, last: { made?: CombinedAttempt.Attempt }) =>
  Effect.suspend(() => {
    const route = CombinedRoute.of(input.model)
    const request = moved ? { ...input, messages: CombinedRoute.portable(input.messages) } : input
    const made = CombinedAttempt.make(request)
    last.made = made
    const record = (conclusion: CombinedConclusion.Conclusion) =>
      route ? CombinedConclusion.write(made, subject(input), route, conclusion) : Effect.void
    const answer = Stream.runCollect(CombinedAttempt.send(made, request, send))
    return (
      route
        ? Effect.raceFirst(
            answer,
            CombinedAttempt.watch(() => made, route.settings, route.others()),
          )
        : answer
    ).pipe(
      Effect.matchCauseEffect({
        onSuccess: (events) =>
          Effect.succeed({
            end: ofAnswer(events),
            value: events,
            cause: Cause.fail<unknown>(new Error(INCOMPLETE)),
            record,
          }),
        onFailure: (cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
          const error = Cause.squash(cause)
          return Effect.succeed({ end: ofError(error, made), value: undefined, cause, record })
        },
      }),
      Effect.onInterrupt(() => record({ action: "cancelled" })),
    )
  })

const INCOMPLETE = "The answer was empty or ended without a finish reason"

function ofAnswer(events: readonly LLMEvent[]): CombinedDecide.End {
  const finish = events.findLast((event) => event.type === "step-finish")?.reason
  const said = events.some((event) => event.type === "text-delta" && event.text.trim())
  if (finish === "content-filter") return { kind: "final", refusal: "answer", message: "The model refused to answer" }
  if (finish !== "unknown" && finish !== "error" && said) return { kind: "whole" }
  return { kind: "shortcoming", lacks: said ? "finish" : "content", message: INCOMPLETE }
}

function ofError(error: unknown, made: CombinedAttempt.Attempt): CombinedDecide.End {
  if (error instanceof CombinedWatch.Silence) return error.end
  return CombinedFailure.fault(error, Date.now(), {
    inside: made.gate.failed,
    own: CombinedRoute.of(made.model)?.settings.own,
  })
}

const subject = (input: LLM.StreamInput): CombinedConclusion.Subject => ({
  session: input.sessionID,
  message: input.user.id,
  purpose: input.agent.name === "title" ? "title" : "small",
  provider: input.model.providerID,
  model: input.model.id,
})

export * as CombinedTitle from "./title"
