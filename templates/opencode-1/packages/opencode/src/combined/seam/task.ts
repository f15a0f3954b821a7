/** The model that a subagent inherits: the one that was asked for in its parent, not the member that served there. */
import type { Session } from "@/session/session"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect, Option } from "effect"
import { CombinedMember } from "../member"

export const model = Effect.fn("CombinedTask.model")(function* (
  sessions: Session.Interface,
  message: SessionV1.Assistant,
) {
  const found = yield* sessions
    .findMessage(message.sessionID, (item) => item.info.id === message.parentID)
    .pipe(Effect.orDie)
  if (Option.isNone(found) || found.value.info.role !== "user") return undefined
  // A command that runs as a subtask names its own model, which takes precedence over the model of the message.
  const subtask = found.value.parts.find((part) => part.type === "subtask")
  const asked = (subtask?.type === "subtask" ? subtask.model : undefined) ?? found.value.info.model
  if (CombinedMember.same(asked, message)) return undefined
  return { providerID: asked.providerID, modelID: asked.modelID }
})

export * as CombinedTask from "./task"
