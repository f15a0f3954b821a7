/** Upstream's package for requests, up to v2.0.0. opencode-2-later has the same file for v2.0.1 and later. */
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

/** The error of a request that we end. Upstream does not repeat such a request. */
export const failed = (message: string) =>
  new LLMError({ module: "combined", method: "stream", reason: new UnknownProviderReason({ message }) })

/** The error of a conversation that is too long, as if the provider had refused it. */
export const overflow = (message: string) =>
  new LLMError({
    module: "combined",
    method: "stream",
    reason: new InvalidRequestReason({ message, classification: "context-overflow" }),
  })

/** The error as upstream shows it, but in a form that upstream does not retry with the same provider seconds later. */
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

/** Whether upstream says that the connection was closed before the answer ended. */
export const isWithoutEnd = ({ reason }: LLMError) => /ended without a terminal/.test(reason.message)

/** Why a step of an answer ended. */
export const finishOf = (event: Extract<LLMEvent, { type: "step-finish" }>) => event.reason

/** The events that end a whole answer. */
export const stop = (): readonly LLMEvent[] => [
  LLMEvent.stepFinish({ index: 0, reason: "stop" }),
  LLMEvent.finish({ reason: "stop" }),
]

/** An event of an answer that is believed to be whole. */
export const believed = (event: LLMEvent) => event

/** Whether an event has content of a kind that only some versions of upstream know. */
export const shows = (_event: LLMEvent) => false

/** The key under which Anthropic's protocol keeps a part's data. */
const ANTHROPIC = "anthropic"

/** Whether a model reads signed thinking. */
export const readsSigned = ({ route }: Model) => route.providerMetadataKey === ANTHROPIC

/** The request to such a model, without thinking. */
export const unthinking = (request: LLMRequest) =>
  LLMRequest.update(request, {
    providerOptions: {
      ...request.providerOptions,
      [ANTHROPIC]: { ...request.providerOptions?.[ANTHROPIC], thinking: { type: "disabled" } },
    },
  })

/** The same request, to another provider's model. */
export const sentTo = (request: LLMRequest, { model }: SessionRunnerModel.Resolved) =>
  LLMRequest.update(request, { model })
