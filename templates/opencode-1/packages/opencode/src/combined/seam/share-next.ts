/** What is sent to the page of a shared session when a part of an answer is discarded. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"

type Removed = Pick<SessionV1.TextPart, "sessionID" | "messageID"> & { readonly partID: SessionV1.TextPart["id"] }

/** The share service can only add and replace, so the part is replaced with an empty text. */
export function blank({ sessionID, messageID, partID }: Removed) {
  return { type: "part" as const, data: { id: partID, sessionID, messageID, type: "text" as const, text: "" } }
}

export * as CombinedShareNext from "./share-next"
