/**
 * Thinking that is signed, on its way from one provider to another.
 *
 * While Claude thinks, it must be given back the signed thinking of the tool loop it is in, or it refuses the request.
 * The signature is Anthropic's and holds on every platform that serves the model, but each SDK keeps it in its own place,
 * and upstream drops what another provider has kept. Where it cannot be carried over, the one request goes without
 * thinking. Gemini wants the signature of each step's first call back in the same way, but takes a word of Google's for
 * one that is lost. What OpenAI encrypts belongs to one account; nothing of it is carried.
 */
import type { Provider } from "@/provider/provider"
import type { LLM } from "@/session/llm"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { CombinedRoute } from "../provider/route"
import { CombinedProgress } from "../driver/progress"
import { identify } from "../identity/grouping"
import { CombinedMember } from "../member"

type Signed = { readonly signature: string } | { readonly redactedData: string }

type Metadata = Record<string, Record<string, unknown> | undefined>

const ANTHROPIC = ["@ai-sdk/anthropic", "@ai-sdk/google-vertex/anthropic"]

const GOOGLE = ["@ai-sdk/google", "@ai-sdk/google-vertex"]

/** What Google takes for a signature that is lost: https://ai.google.dev/gemini-api/docs/thought-signatures */
const LOST = { google: { thoughtSignature: "skip_thought_signature_validator" } }

/** Options that switch thinking on, in the terms of the SDKs that serve Claude. */
const SWITCHES = ["thinking", "reasoningConfig", "reasoning", "reasoningEffort", "effort"]

const silenced = new WeakSet<Provider.Model>()

/** The history for a request to a member: what others signed in the present tool loop is written as its own. */
export function carry(messages: SessionV1.WithParts[], model: Provider.Model): SessionV1.WithParts[] {
  if (!CombinedRoute.of(model)) return messages
  if (isGemini(model)) return carryCalls(messages, model)
  if (!isClaude(model.api.id)) return messages
  const asked = messages.findLastIndex((message) => message.info.role === "user")
  const { unthinking } = CombinedProgress.peek(messages[asked]?.info.id)
  const refused = unthinking.has(CombinedMember.key({ providerID: model.providerID, modelID: model.id }))
  if (refused) silenced.add(model)
  return messages.map((message, index) => {
    const { info, parts } = message
    if (index < asked || info.role !== "assistant" || info.error) return message
    if (info.providerID === model.providerID && info.modelID === model.id) return message
    if (!parts.some((part) => part.type === "tool")) return message
    const own = !refused && sameModel(info, model) ? translate(parts, model) : undefined
    if (own) return { info: { ...info, providerID: model.providerID, modelID: model.id }, parts: own }
    silenced.add(model)
    return message
  })
}

/** The same for Gemini, whose SDKs read one another's signatures. */
function carryCalls(messages: SessionV1.WithParts[], model: Provider.Model): SessionV1.WithParts[] {
  const asked = messages.findLastIndex((message) => message.info.role === "user")
  const { unthinking } = CombinedProgress.peek(messages[asked]?.info.id)
  const refused = unthinking.has(CombinedMember.key({ providerID: model.providerID, modelID: model.id }))
  return messages.map((message, index) => {
    const { info, parts } = message
    if (index < asked || info.role !== "assistant" || info.error) return message
    const own = info.providerID === model.providerID && info.modelID === model.id
    if ((own && !refused) || !parts.some((part) => part.type === "tool")) return message
    const kept = !refused && sameModel(info, model) && parts.some(isSigned)
    return {
      info: { ...info, providerID: model.providerID, modelID: model.id },
      parts: signCalls(kept ? parts : parts.flatMap(unsigned)),
    }
  })
}

/** The first call of a step must have a signature. */
function signCalls(parts: readonly SessionV1.Part[]): SessionV1.Part[] {
  const first = parts.find((part) => part.type === "tool")
  const signed = parts.some((part) => part.type === "tool" && isSigned(part))
  return parts.map((part) =>
    part.type === "tool" && part === first && !signed ? { ...part, metadata: { ...part.metadata, ...LOST } } : part,
  )
}

function isSigned(part: SessionV1.Part) {
  if (part.type !== "reasoning" && part.type !== "tool" && part.type !== "text") return false
  const metadata = (part.metadata ?? {}) as Metadata
  return [metadata.google, metadata.vertex].some((own) => typeof own?.thoughtSignature === "string")
}

/** As upstream gives back what another model has made: its thoughts are text, and nothing is signed. */
function unsigned(part: SessionV1.Part): SessionV1.Part[] {
  if (part.type === "text") return [{ ...part, metadata: undefined }]
  if (part.type === "tool")
    return [{ ...part, metadata: part.metadata?.providerExecuted ? { providerExecuted: true } : undefined }]
  if (part.type !== "reasoning") return [part]
  const { id, sessionID, messageID, text } = part
  return text.trim() ? [{ id, sessionID, messageID, type: "text", text }] : []
}

/**
 * A signature may be refused after all: an account of another organisation, a platform that signs for itself. The words
 * are those of Anthropic's and Google's APIs, which the other platforms pass on.
 */
export function isRefusal(text: string) {
  return /invalid `?signature`? in `?thinking`? block|expected `?thinking`? or `?redacted_thinking`?|\bthought[_ ]signature/i.test(
    text,
  )
}

/** The request as it goes out: without thinking, where the history could not be carried over. */
export function silence(input: LLM.StreamInput): LLM.StreamInput {
  if (!silenced.has(input.model)) return input
  return {
    ...input,
    model: { ...input.model, options: quiet(input.model.options) },
    agent: { ...input.agent, options: quiet(input.agent.options) },
    user: { ...input.user, model: { ...input.user.model, variant: undefined } },
  }
}

function quiet<T extends Record<string, unknown>>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !SWITCHES.includes(name))) as T
}

/** The parts with each thinking block in the member's terms; undefined where there is none, or one without signature. */
function translate(parts: readonly SessionV1.Part[], model: Provider.Model): SessionV1.Part[] | undefined {
  const first = parts.find((part) => part.type === "reasoning" || part.type === "tool" || part.type === "text")
  if (first?.type !== "reasoning") return undefined
  const thoughts = parts.flatMap((part) => (part.type === "reasoning" ? [{ part, signed: read(part.metadata) }] : []))
  const whole = thoughts.flatMap(({ part, signed }) => (signed ? [{ text: part.text, signed }] : []))
  if (whole.length < thoughts.length) return undefined
  const made = new Map(thoughts.map(({ part }, index) => [part.id, write(model, whole, index)]))
  if ([...made.values()].some((metadata) => !metadata)) return undefined
  return parts.map((part) => {
    if (part.type === "reasoning") return { ...part, metadata: made.get(part.id) }
    if (part.type === "text") return { ...part, metadata: undefined }
    if (part.type !== "tool") return part
    return { ...part, metadata: part.metadata?.providerExecuted ? { providerExecuted: true } : undefined }
  })
}

function read(stored: Record<string, unknown> | undefined): Signed | undefined {
  const metadata = (stored ?? {}) as Metadata
  for (const own of [metadata.anthropic, metadata.bedrock]) {
    if (typeof own?.signature === "string") return { signature: own.signature }
    if (typeof own?.redactedData === "string") return { redactedData: own.redactedData }
  }
  const details = metadata.openrouter?.reasoning_details
  // With more than one in a part nobody knows which text belongs to which signature.
  const found = Array.isArray(details) ? details.filter((item) => item?.signature || item?.data) : []
  if (found.length !== 1) return undefined
  const [{ signature, data }] = found
  if (typeof signature === "string") return { signature }
  return typeof data === "string" ? { redactedData: data } : undefined
}

function write(model: Provider.Model, all: readonly { text: string; signed: Signed }[], index: number) {
  const { npm } = model.api
  if (ANTHROPIC.includes(npm)) return { anthropic: { ...all[index].signed } }
  if (npm === "@ai-sdk/amazon-bedrock") return { bedrock: { ...all[index].signed } }
  if (npm !== "@openrouter/ai-sdk-provider") return undefined
  // This SDK reads the thinking of a whole message from its first part.
  const details = all.map(({ text, signed }, at) =>
    "signature" in signed
      ? { type: "reasoning.text", text, signature: signed.signature, format: FORMAT, index: at }
      : { type: "reasoning.encrypted", data: signed.redactedData, format: FORMAT, index: at },
  )
  return { openrouter: { reasoning_details: details } }
}

/** OpenRouter's name for what Anthropic signs. */
const FORMAT = "anthropic-claude-v1"

function isClaude(id: string) {
  return id.toLowerCase().includes("claude")
}

/** From its third generation on Gemini refuses a call without its signature. */
function isGemini(model: Provider.Model) {
  return GOOGLE.includes(model.api.npm) && /gemini-(?:[3-9]|\d\d)/i.test(model.api.id)
}

function sameModel(info: SessionV1.Assistant, model: Provider.Model) {
  const key = (providerID: string, modelID: string) => identify({ providerID, modelID, name: "" }).key
  return key(info.providerID, info.modelID) === key(model.providerID, model.id)
}

export * as CombinedThinking from "./thinking"
