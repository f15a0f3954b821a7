/**
 * The history in a form that the member can read. Parts from other members are made portable: signed thinking in the
 * reader's own form if the signature is valid, thoughts of open models as thoughts, and nothing that belongs to an
 * account (what OpenAI encrypts, ids of stored items). Upstream would send all of these as answer text, or drop them.
 *
 * A member may also refuse its own earlier parts, because of another account, or because items were not stored. Then it
 * gets the history without them for the rest of this turn.
 */
import type { Provider } from "@/provider/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { Forgone } from "../failure/classify"
import { CombinedRoute } from "../provider/route"
import { CombinedClaude } from "./claude"
import { CombinedGemini } from "./gemini"
import { plain } from "./plain"
import type { Reader } from "./reader"
import { CombinedThoughts } from "./thoughts"

export function rebuild(messages: SessionV1.WithParts[], model: Provider.Model): SessionV1.WithParts[] {
  if (!CombinedRoute.of(model)) return messages
  const asked = messages.findLastIndex((message) => message.info.role === "user")
  const without = forgone(model)
  const reader = { model, refused: without.has("thinking") || without.has("items") }
  return messages.map((message, index) => {
    const { info } = message
    if (info.role !== "assistant") return message
    const own = info.providerID === model.providerID && info.modelID === model.id
    if (own && !reader.refused) return message
    const parts = read(message, info, reader, index > asked)
    return { info: { ...info, providerID: model.providerID, modelID: model.id }, parts }
  })
}

/** The parts of the history that a member has refused in this run. */
export function forgone(model: Provider.Model): ReadonlySet<Forgone> {
  return CombinedRoute.of(model)?.forgone ?? new Set()
}

/**
 * The parts of another member's message. Inside a tool loop, Claude and Gemini require the parts that they have signed.
 */
function read({ parts }: SessionV1.WithParts, info: SessionV1.Assistant, reader: Reader, inLoop: boolean) {
  const loop = inLoop && parts.some((part) => part.type === "tool")
  if (CombinedGemini.reads(reader.model)) return loop ? CombinedGemini.parts(parts, info, reader) : plain(parts, "none")
  if (!CombinedClaude.reads(reader.model)) return plain(parts, way(reader))
  const signed = loop ? CombinedClaude.parts(parts, info, reader) : undefined
  return signed ?? plain(parts, "none")
}

const way = ({ model, refused }: Reader) =>
  refused ? "none" : CombinedThoughts.wayFor({ npm: model.api.npm, reasons: model.capabilities.reasoning })

export * as CombinedRebuild from "./rebuild"
