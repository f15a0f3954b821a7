/** Upstream's package of requests, as it is until v2.0.0. opencode-2-later has the same for v2.0.1 and later. */
import {
  InvalidRequestReason,
  LLMError,
  LLMEvent,
  LLMRequest,
  UnknownProviderReason,
  type Model,
} from "@opencode-ai/ai"
import type { SessionRunnerModel } from "../../../session/runner/model"

export { CombinedHeard } from "@opencode-ai/ai/combined/heard"
export {
  GenerationOptions,
  LLMError,
  LLMEvent,
  LLMRequest,
  LLMResponse,
  Usage,
  isContextOverflowFailure,
} from "@opencode-ai/ai"
export type { Model, ProviderErrorEvent } from "@opencode-ai/ai"

/** The error with which a request ends if we end it. Upstream does not repeat such a request. */
export const failed = (message: string) =>
  new LLMError({ module: "combined", method: "stream", reason: new UnknownProviderReason({ message }) })

/** As if the provider had refused a conversation that is too long. */
export const overflow = (message: string) =>
  new LLMError({
    module: "combined",
    method: "stream",
    reason: new InvalidRequestReason({ message, classification: "context-overflow" }),
  })

/** The error as upstream shows it, without the wish to ask the same provider again, seconds later. */
export function settled(error: LLMError) {
  const { _tag: tag, message } = error.reason
  return tag === "RateLimit" || tag === "ProviderInternal" || tag === "Transport" ? failed(message) : error
}

/** What the provider answered, and the event that upstream could not read. */
export function details({ reason }: LLMError) {
  const http = "http" in reason ? reason.http : undefined
  return {
    status: http?.response?.status,
    headers: http?.response?.headers,
    body: http?.body,
    code: reason._tag === "Transport" ? reason.kind : undefined,
    event: "raw" in reason ? reason.raw : undefined,
  }
}

/** How upstream says that a connection was closed before the answer had an end. */
export const isWithoutEnd = ({ reason }: LLMError) => /ended without a terminal/.test(reason.message)

/** Why a step of an answer has ended. */
export const finishOf = (event: Extract<LLMEvent, { type: "step-finish" }>) => event.reason

/** The end of a whole answer. */
export const stop = (): readonly LLMEvent[] => [
  LLMEvent.stepFinish({ index: 0, reason: "stop" }),
  LLMEvent.finish({ reason: "stop" }),
]

/** An event of an answer that is believed to be whole. */
export const believed = (event: LLMEvent) => event

/** Whether an event has content, of a kind that only some states of upstream know. */
export const shows = (_event: LLMEvent) => false

/** Where Anthropic's protocol keeps what belongs to a part. */
const ANTHROPIC = "anthropic"

/** Whether a model reads thinking that is signed. */
export const readsSigned = ({ route }: Model) => route.providerMetadataKey === ANTHROPIC

/** A request to such a model, made without thinking. */
export const unthinking = (request: LLMRequest) =>
  LLMRequest.update(request, {
    providerOptions: {
      ...request.providerOptions,
      [ANTHROPIC]: { ...request.providerOptions?.[ANTHROPIC], thinking: { type: "disabled" } },
    },
  })

/** The same request to a model of another provider. */
export const sentTo = (request: LLMRequest, { model }: SessionRunnerModel.Resolved) =>
  LLMRequest.update(request, { model })
