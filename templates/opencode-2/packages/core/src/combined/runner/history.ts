/**
 * The history in a form that the member can read. Upstream sends the thoughts of another model as answer text, without
 * their signatures. We send them differently:
 *
 * The same Claude at another provider gets them signed, because without them it refuses the rest of a tool loop. Where
 * that is not possible, that one request is made without thinking. Other providers of an open model get its thoughts as
 * thoughts. All other members get no thoughts. A member that has refused a part of the history gets the history without
 * that part.
 */
import type { SessionContext } from "../../session/context"
import type { SessionMessage } from "../../session/message"
import { CombinedRun } from "../choice/run"
import { CombinedCallIds } from "../history/call-ids"
import { CombinedThoughts } from "../history/thoughts"
import { identify } from "../identity/grouping"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerRoute } from "./route"
import { GenerationOptions, LLMRequest, readsSigned, unthinking } from "./upstream/llm"
import { npmOf } from "./upstream/models"

type Context = Pick<SessionContext.Loaded, "model" | "messages">
type Message = SessionMessage.Info
type Assistant = SessionMessage.Assistant

export function readable(context: Context): readonly Message[] {
  const { messages, model } = context
  const route = CombinedRunnerRoute.of(model.model)
  if (!route) return messages
  const without = CombinedRun.forgone(route.run, route.member)
  const refused = without.has("thinking") || without.has("items")
  const asked = messages.findLastIndex((message) => message.type === "user")
  const plain = messages.map((message, index) => {
    if (message.type !== "assistant") return message
    if (isOwn(message, context)) return refused ? foreign(message) : message
    // Marked as the member's own, so that upstream also sends the data that belongs to its parts.
    if (index > asked && !refused && isSigned(message) && reads(context) && isSameModel(message, context))
      return { ...message, model: model.ref }
    if (!refused && thinksOpenly(context, route.member) && isSameModel(message, context))
      return thinking(message, context)
    return spoken(message)
  })
  return named(plain, route.member, without.has("calls"))
}

/** The message without its thoughts. */
const spoken = (message: Assistant): Assistant => ({
  ...message,
  content: message.content.filter((part) => part.type !== "reasoning"),
})

/**
 * The member's own message, marked as another model's: upstream then leaves out what belongs to the member's account.
 */
function foreign(message: Assistant): Assistant {
  const { model } = message
  return spoken({ ...message, model: { ...model, providerID: CombinedRunnerListing.ID } })
}

/** The message with the thoughts of an open model, which any provider of it accepts, but without data of an account. */
function thinking(message: Assistant, { model }: Context): Assistant {
  const content = message.content.map((part) => {
    if (part.type === "reasoning") return { ...part, state: undefined }
    return part.type === "tool" ? { ...part, providerState: undefined, providerResultState: undefined } : part
  })
  return { ...message, model: model.ref, content }
}

/** Whether the protocol has a field for thoughts. That the model thinks is known from its messages. */
const thinksOpenly = ({ model }: Context, member: CombinedRunnerRoute.Member) =>
  model.model.route.id === "openai-compatible-chat" &&
  CombinedThoughts.wayFor({ npm: npmOf(member.model), reasons: true }) === "field"

/** Gives calls ids that the member accepts. */
function named(
  messages: readonly Message[],
  member: CombinedRunnerRoute.Member,
  strictly: boolean,
): readonly Message[] {
  const { id, modelID } = member.model
  const reader = { npm: npmOf(member.model), id: modelID ?? id, providerID: member.providerID }
  const form = strictly ? CombinedCallIds.STRICTEST : CombinedCallIds.formFor(reader)
  const calls = messages.flatMap((message) =>
    message.type === "assistant" ? message.content.flatMap((part) => (part.type === "tool" ? [part.id] : [])) : [],
  )
  const names = CombinedCallIds.namer(form, calls)
  return messages.map((message) => {
    if (message.type !== "assistant") return message
    const content = message.content.map((part) => (part.type === "tool" ? { ...part, id: names.call(part.id) } : part))
    return { ...message, content }
  })
}

/**
 * The request to send: with the options that the user set for the member, and without thinking if the current tool loop
 * has calls without signed thinking before them.
 */
export function request(request: LLMRequest, context: Context): LLMRequest {
  const route = CombinedRunnerRoute.of(context.model.model)
  if (!route) return request
  const asked = tempered(request, route.member)
  if (!reads(context)) return asked
  const messages = readable(context)
  const loop = messages.slice(messages.findLastIndex((message) => message.type === "user") + 1)
  const lacks = loop.some(
    (message) =>
      message.type === "assistant" && message.content.some((part) => part.type === "tool") && !isSigned(message),
  )
  return lacks ? unthinking(asked) : asked
}

/** Applies the two options of a chain's entry that are part of the request, not of the model (catalogue.ts). */
export function tempered(request: LLMRequest, { how }: CombinedRunnerRoute.Member): LLMRequest {
  const { temperature, top_p: topP } = how?.options ?? {}
  if (typeof temperature !== "number" && typeof topP !== "number") return request
  const { ...given } = request.generation ?? {}
  return LLMRequest.update(request, {
    generation: GenerationOptions.make({
      ...given,
      ...(typeof temperature === "number" && { temperature }),
      ...(typeof topP === "number" && { topP }),
    }),
  })
}

const reads = ({ model }: Context) => readsSigned(model.model)

const isOwn = ({ model }: Assistant, context: Context) =>
  model.providerID === context.model.ref.providerID && model.id === context.model.ref.id

/** Whether the message begins with thinking, and all its thinking is signed. */
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
