/** Which members hold a prompt cache of a session, judging by its answers. Pure. */
import { DateTime } from "effect"
import type { SessionMessage } from "../../session/message"
import { CombinedWarm } from "../choice/warm"
import { CombinedMember } from "../member"

export type Answers = Parameters<typeof CombinedWarm.warm>[0]

export const answers = (messages: readonly SessionMessage.Info[]): Answers =>
  messages.flatMap((message) => (message.type === "assistant" ? whole(message) : []))

export const keyOf = ({ providerID, id }: SessionMessage.Assistant["model"]) =>
  CombinedMember.key({ providerID, modelID: id })

/** The answer, if it is complete and so left a prompt cache. */
function whole({ model, time, error }: SessionMessage.Assistant) {
  if (error || time.completed === undefined) return []
  const created = DateTime.toEpochMillis(time.created)
  return [{ member: keyOf(model), created, completed: DateTime.toEpochMillis(time.completed) }]
}

export * as CombinedRunnerWarm from "./warm"
