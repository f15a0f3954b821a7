/** An error of a request, in the form that decides what to do next. Pure. */
import { LLMError, isContextOverflowFailure, type ProviderErrorEvent } from "@opencode-ai/ai"
import { CombinedFailure, type Failure, type Kind } from "../failure/classify"
import { CombinedEvent } from "../failure/event"
import type { Rule } from "../failure/rules"
import type { CombinedDecide } from "../turn/decide"

/** Upstream's classification of an error, if no rule matches its words. */
const KINDS: Partial<Record<LLMError["reason"]["_tag"], Kind>> = {
  RateLimit: "rate_limit",
  QuotaExceeded: "quota",
  Authentication: "auth",
  ProviderInternal: "server",
  Transport: "network",
  // An event that upstream's decoder cannot read.
  InvalidProviderOutput: "server",
}

/** How upstream says that a connection was closed before the answer had an end. */
const WITHOUT_END = /ended without a terminal/

/** An error of a request, or an error event inside its answer. `own` are the user's rows. */
export function read(
  error: LLMError | ProviderErrorEvent,
  own: readonly Rule[],
  now = Date.now(),
): Exclude<CombinedDecide.End, { kind: "whole" }> {
  const overflow = isContextOverflowFailure(error)
  if (!(error instanceof LLMError))
    return CombinedFailure.fault(error, now, { inside: { event: error }, overflow, own })
  const { reason } = error
  if (WITHOUT_END.test(reason.message))
    return { kind: "shortcoming", lacks: "finish", message: "The answer ended without a finish reason" }
  const event = "raw" in reason ? failed(reason.raw) : undefined
  if (event !== undefined) return CombinedFailure.fault("", now, { inside: { event }, own })
  const http = "http" in reason ? reason.http : undefined
  const found = CombinedFailure.fault(
    {
      statusCode: http?.response?.status,
      responseHeaders: http?.response?.headers,
      responseBody: http?.body,
      message: reason.message,
      ...(reason._tag === "Transport" && { code: reason.kind }),
    },
    now,
    { overflow, own },
  )
  return CombinedFailure.cools(found) && found.kind === "unknown" ? known(error, found) : found
}

/** What upstream knows of an error that we do not. */
function known({ reason }: LLMError, found: Failure): Failure {
  const kind = KINDS[reason._tag]
  if (kind === undefined) return found
  const after = "retryAfterMs" in reason ? reason.retryAfterMs : undefined
  return { ...found, kind, ...(after !== undefined && { retryAfter: after }) }
}

/** The error in an event that upstream's decoder did not know; any other may have the model's own words in it. */
function failed(raw: string | undefined): unknown {
  try {
    const event: unknown = JSON.parse(raw ?? "")
    return CombinedEvent.failed(event) ? event : undefined
  } catch {
    return undefined
  }
}

export * as CombinedRunnerFailure from "./failure"
