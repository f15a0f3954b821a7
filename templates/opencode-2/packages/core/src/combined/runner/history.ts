/**
 * The history as the member can read it. Upstream sends the thoughts of another model as answer text, and without their
 * signatures. Here the same Claude at another provider gets them signed, since it refuses the rest of a tool loop
 * without them; where that is not possible, the one request is made without thinking. Nobody else gets them.
 */
import { LLMRequest } from "@opencode-ai/ai"
import type { SessionContext } from "../../session/context"
import type { SessionMessage } from "../../session/message"
import { identify } from "../identity/grouping"
import { CombinedRunnerRoute } from "./route"

type Context = Pick<SessionContext.Loaded, "model" | "messages">
type Message = SessionMessage.Info
type Assistant = SessionMessage.Assistant

/** Where Anthropic's protocol keeps what belongs to a part. */
const ANTHROPIC = "anthropic"

export function readable(context: Context): readonly Message[] {
  const { messages, model } = context
  if (!CombinedRunnerRoute.of(model.model)) return messages
  const asked = messages.findLastIndex((message) => message.type === "user")
  return messages.map((message, index) => {
    if (message.type !== "assistant" || isOwn(message, context)) return message
    // As its own: then upstream sends what belongs to the parts as well.
    if (index > asked && isSigned(message) && reads(context) && isSameModel(message, context))
      return { ...message, model: model.ref }
    return { ...message, content: message.content.filter((part) => part.type !== "reasoning") }
  })
}

/** The request to send: without thinking, if the current tool loop has calls without signed thinking before them. */
export function request(request: LLMRequest, context: Context): LLMRequest {
  if (!CombinedRunnerRoute.of(context.model.model) || !reads(context)) return request
  const messages = readable(context)
  const loop = messages.slice(messages.findLastIndex((message) => message.type === "user") + 1)
  const lacks = loop.some(
    (message) =>
      message.type === "assistant" && message.content.some((part) => part.type === "tool") && !isSigned(message),
  )
  if (!lacks) return request
  const { providerOptions } = request
  return LLMRequest.update(request, {
    providerOptions: {
      ...providerOptions,
      [ANTHROPIC]: { ...providerOptions?.[ANTHROPIC], thinking: { type: "disabled" } },
    },
  })
}

const reads = ({ model }: Context) => model.model.route.providerMetadataKey === ANTHROPIC

const isOwn = ({ model }: Assistant, context: Context) =>
  model.providerID === context.model.ref.providerID && model.id === context.model.ref.id

/** Whether it begins with thinking, all of it signed. */
function isSigned({ content }: Assistant) {
  const [first] = content.filter((part) => part.type !== "text" || part.text !== "")
  const thoughts = content.flatMap((part) => (part.type === "reasoning" ? [part] : []))
  return first?.type === "reasoning" && thoughts.every((part) => typeof part.state?.signature === "string")
}

function isSameModel(message: Assistant, { model }: Context) {
  const key = (ref: Assistant["model"]) => identify({ providerID: ref.providerID, modelID: ref.id, name: "" }).key
  return key(message.model) === key(model.ref)
}

export * as CombinedRunnerHistory from "./history"
