/**
 * Since its third generation, Gemini refuses a step whose first call lacks its signature, but accepts Google's marker
 * for a lost one.
 */
import type { Provider } from "@/provider/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { CombinedSignature } from "./signature"
import { plain } from "./plain"
import { isSameModel, type Reader } from "./reader"

const GOOGLE = ["@ai-sdk/google", "@ai-sdk/google-vertex"]

export function reads(model: Provider.Model) {
  return GOOGLE.includes(model.api.npm) && /gemini-(?:[3-9]|\d\d)/i.test(model.api.id)
}

export function parts(all: readonly SessionV1.Part[], info: SessionV1.Assistant, reader: Reader) {
  const kept = !reader.refused && isSameModel(info, reader) && all.some(isSigned)
  return signCalls(kept ? all : plain(all, "none"))
}

function signCalls(parts: readonly SessionV1.Part[]): SessionV1.Part[] {
  const first = parts.find((part) => part.type === "tool")
  const signed = parts.some((part) => part.type === "tool" && isSigned(part))
  return parts.map((part) =>
    part.type === "tool" && part === first && !signed
      ? { ...part, metadata: { ...part.metadata, ...CombinedSignature.LOST } }
      : part,
  )
}

function isSigned(part: SessionV1.Part) {
  if (part.type !== "reasoning" && part.type !== "tool" && part.type !== "text") return false
  return CombinedSignature.isGemini(part.metadata)
}

export * as CombinedGemini from "./gemini"
