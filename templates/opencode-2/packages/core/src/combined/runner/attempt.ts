/** One request to a member, observed from outside: how far it got, and whether it is still alive. */
import { Stream } from "effect"
import type { SessionRunnerModel } from "../../session/runner/model"
import { SessionUsage } from "../../session/usage"
import { CombinedFailure } from "../failure/classify"
import { CombinedEvent } from "../failure/event"
import { CombinedExceptions } from "../failure/exceptions"
import { CombinedRedact } from "../failure/redact"
import type { Rule } from "../failure/rules"
import { CombinedWindow } from "../health/window"
import type { Hold } from "../host/holds"
import { CombinedLog } from "../host/log"
import { CombinedReported } from "../money/reported"
import type { CombinedDecide } from "../turn/decide"
import { CombinedProgress } from "../turn/progress"
import { parsed } from "../value"
import { CombinedRunnerEnd } from "./end"
import type { CombinedRunnerRoute } from "./route"
import { CombinedHeard, LLMError, LLMEvent, Usage, details, failed, finishOf, shows, type Model } from "./upstream/llm"

/** What was requested, and at what price. */
export type Subject = {
  readonly purpose: CombinedLog.Record["purpose"]
  /** The user's message that is being answered. */
  readonly message: string
  readonly cost: SessionRunnerModel.Resolved["cost"]
}

export type Attempt = ReturnType<typeof make>

export function make() {
  return {
    ...CombinedProgress.make(),
    began: Date.now(),
    /** Something with content arrived, so the session knows of the answer. */
    opened: false,
    /** Calls that have started. */
    calls: 0,
    said: false,
    /** Tools whose call has started but has no complete arguments yet, by the id of the call. */
    cut: new Map<string, string>(),
    usage: undefined as Usage | undefined,
    /** The token counts that the provider had reported when its answer ended or broke off. */
    reported: undefined as CombinedReported.Counts | undefined,
    /** An event with which the provider has said that its answer failed. Upstream's decoders ignore those they do not know. */
    told: undefined as { readonly event: unknown } | undefined,
    /** Reads what of the answer says that it failed, from an answer whose decoder drops that. */
    reader: undefined as ((chunk: Uint8Array) => void) | undefined,
    /** What was sent with the request and must not be kept with what is said of its failure. */
    secrets: [] as readonly string[],
    /** The error with which the AI SDK refused the request. */
    refused: undefined as { readonly error: unknown } | undefined,
    /**
     * When anything of the answer last arrived, even a comment (`performance.now()`); undefined if it cannot be told.
     */
    heard: undefined as number | undefined,
    logged: false,
    /** What is held of a budget for this attempt. */
    hold: undefined as Hold | undefined,
  }
}

/** The request is sent now. With the AI SDK, `heard` is only set if the SDK sends its requests through our `fetch`. */
export function begin(attempt: Attempt, { route }: Model) {
  attempt.began = Date.now()
  if (route.transport.id === "http-json") attempt.heard = performance.now()
}

/** Sends a request, and watches its answer before it is decoded. */
export function listen<A, E, R>(attempt: Attempt, route: CombinedRunnerRoute.Route, answer: Stream.Stream<A, E, R>) {
  const sees = (windows: ReturnType<typeof CombinedWindow.read>) => {
    if (windows.length) route.pool.see(route.member, windows)
  }
  return answer.pipe(
    Stream.provideService(CombinedHeard.Current, {
      asked: (url, headers) => (attempt.secrets = CombinedRedact.sent(url, Object.entries(headers))),
      headers: (headers) => {
        sees(CombinedWindow.read(Object.entries(headers), Date.now()))
        const tells = CombinedExceptions.mayBeIn(headers["content-type"] ?? "")
        attempt.reader = tells ? CombinedExceptions.reader((event) => (attempt.told = { event })) : undefined
      },
      sign: () => (attempt.heard = performance.now()),
      chunk: (chunk) => attempt.reader?.(chunk),
      event: (event) => {
        if (typeof event === "string" && !TELLS.test(event)) return
        const value = typeof event === "string" ? parsed(event) : event
        attempt.reported = CombinedReported.add(attempt.reported, value) ?? attempt.reported
        sees(CombinedWindow.inBody(value, Date.now()))
        if (CombinedEvent.failed(value)) attempt.told = { event: value }
      },
      refused: (error) => (attempt.refused = { error }),
    }),
  )
}

/** Learns what a refusal says about the plan. */
export function learn({ pool, member }: CombinedRunnerRoute.Route, error: unknown) {
  const headers = error instanceof LLMError ? details(error).headers : undefined
  const windows = CombinedWindow.read(Object.entries(headers ?? {}), Date.now())
  if (windows.length) pool.see(member, windows)
}

/** An event of the answer, without a key that the provider repeats in an error. */
export const hidden = ({ secrets }: Attempt, event: LLMEvent): LLMEvent =>
  event.type === "provider-error" ? { ...event, message: CombinedRedact.redact(event.message, secrets) } : event

/** An error of the request, without a key that the provider repeats. */
export function withoutKeys({ secrets }: Attempt, error: LLMError) {
  const message = CombinedRedact.redact(error.reason.message, secrets)
  return message === error.reason.message ? error : failed(message)
}

/** Only some events mention tokens, a plan or an error; most are text of the answer. */
const TELLS = /usage|rate_limits|base_resp|"(?:error|code|success|message|msg|detail)"/i

type Kinds = readonly CombinedDecide.End["kind"][]

/** How upstream reports an answer that failed with an event that its decoder does not know. */
const VAGUE: Kinds = ["shortcoming", "network", "unknown"]

/** Ends that are not an error of the request, or about which an error says no more. */
const CLEAR: Kinds = ["whole", "passed", "too_long", "timeout"]

/**
 * How the answer ended, as the provider has said it if upstream only says that it did. A key that the provider repeats is
 * removed.
 */
export function explained(attempt: Attempt, end: CombinedDecide.End, own: readonly Rule[]): CombinedDecide.End {
  const found = refined(attempt, end, own)
  return found.kind === "whole" ? found : { ...found, message: CombinedRedact.redact(found.message, attempt.secrets) }
}

function refined({ told, refused }: Attempt, end: CombinedDecide.End, own: readonly Rule[]): CombinedDecide.End {
  const error = CLEAR.includes(end.kind) ? undefined : refused?.error
  const inside = VAGUE.includes(end.kind) ? told : undefined
  if (error === undefined && !inside) return end
  const fault = CombinedFailure.fault(error ?? "", Date.now(), { inside, own })
  return fault.kind === "unknown" ? end : fault
}

/** How much of a silence has passed without any sign of life; undefined if it cannot be told. */
export function lostOf({ heard }: Attempt, silence: number) {
  return heard === undefined ? undefined : Math.min(silence, performance.now() - heard)
}

/** Records what came. */
export function note(attempt: Attempt, events: readonly LLMEvent[]) {
  attempt.usage = events.find(LLMEvent.is.stepFinish)?.usage ?? attempt.usage
  if (!CombinedProgress.note(attempt, events)) return
  attempt.opened ||= events.some(speaks)
  attempt.said ||= events.some((event) => "text" in event && event.type !== "tool-input-delta" && event.text !== "")
  for (const event of events) {
    if (event.type === "tool-input-start" || event.type === "tool-input-error") attempt.cut.set(event.id, event.name)
    if (event.type === "tool-call") attempt.cut.delete(event.id)
  }
  attempt.calls += events.filter((event) => event.type === "tool-call" && !event.providerExecuted).length
}

/** Whether anything of the answer came. */
export const begun = (attempt: Attempt) => attempt.said || attempt.phase !== "request"

/** How the answer ended; undefined if this event does not end it. */
export function endOf(attempt: Attempt, event: LLMEvent): CombinedDecide.End | undefined {
  if (event.type !== "step-finish") return undefined
  const [cut] = attempt.cut.values()
  const reason = finishOf(event)
  if (cut !== undefined) return endOfCall(cut, reason)
  switch (reason) {
    case "unknown":
      return CombinedRunnerEnd.unfinished(begun(attempt))
    case "error":
      return { kind: "server", scope: "model", message: "The answer broke off" }
    case "content-filter":
      return { kind: "final", refusal: "answer", message: "The model refused to answer" }
    case "length":
      return { kind: "whole" }
  }
  if (begun(attempt)) return { kind: "whole" }
  return { kind: "shortcoming", lacks: "content", message: "The answer was empty" }
}

/** A call is incomplete: the provider claims that the answer is whole, or the answer was cut off in the call. */
function endOfCall(name: string, reason: ReturnType<typeof finishOf>): CombinedDecide.End {
  if (reason === "stop" || reason === "tool-calls")
    return { kind: "server", scope: "model", message: `The call of ${name} is not whole` }
  const message = `The answer ended in the middle of a call of ${name}`
  if (reason === "unknown") return { kind: "network", scope: "model", message }
  return { kind: "shortcoming", lacks: "call", message }
}

/** Whether an event has content. */
function speaks(event: LLMEvent) {
  switch (event.type) {
    case "text-delta":
    case "reasoning-delta":
      return event.text !== ""
    case "tool-input-start":
    case "tool-call":
    case "tool-result":
    case "tool-error":
      return true
  }
  return shows(event)
}

/** What the request has cost, as far as the member has reported it. */
export function spent(attempt: Attempt, cost: Subject["cost"]) {
  return SessionUsage.record(attempt.usage ?? (attempt.reported && usageOf(attempt.reported)), cost)
}

function usageOf(counts: CombinedReported.Counts) {
  const { inputTokens = 0, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = counts
  const nonCachedInputTokens = Math.max(0, inputTokens - cacheReadInputTokens - cacheWriteInputTokens)
  return new Usage({ ...counts, nonCachedInputTokens })
}

/** Logs how an attempt went, once, and before what follows: that (such as a wait) may be cancelled. */
export function record(
  attempt: Attempt,
  route: CombinedRunnerRoute.Route,
  { cost, ...subject }: Subject & { readonly answer?: string },
  conclusion: Pick<CombinedLog.Record, "action" | "failure" | "reason" | "tools" | "next">,
) {
  if (attempt.logged) return
  attempt.logged = true
  const { asked, own } = route.variant
  const { tokens, cost: dollars } = spent(attempt, cost)
  CombinedLog.append({
    start: new Date(attempt.began).toISOString(),
    end: new Date().toISOString(),
    ...(attempt.firstToken !== undefined && { first_token: attempt.firstToken - attempt.began }),
    session: route.session,
    ...subject,
    provider: route.member.providerID,
    model: route.member.modelID,
    combined: route.id,
    ...(asked !== undefined && { variant: asked }),
    ...(asked !== own && { own_variant: own ?? null }),
    phase: attempt.phase,
    ...conclusion,
    tokens: { input: tokens.input, output: tokens.output, cache_read: tokens.cache.read },
    cost: dollars,
  })
}

export * as CombinedRunnerAttempt from "./attempt"
