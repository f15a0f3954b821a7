/**
 * Continues a turn that was waiting when OpenCode ended, once its session is opened, as if OpenCode had kept running.
 */
import type { Session } from "@/session/session"
import type { SessionPrompt } from "@/session/prompt"
import { MessageID, type SessionID } from "@/session/schema"
import { Effect, Scope } from "effect"
import { CombinedWaits } from "../host/waits"

type Given = {
  readonly session: Session.Interface
  readonly prompt: SessionPrompt.Interface
  readonly scope: Scope.Scope
}

/** Called whenever a client reads the messages of a session. */
export const resume = Effect.fn("CombinedResume.resume")(function* ({ session, prompt, scope }: Given, id: SessionID) {
  if (!CombinedWaits.abandoned(id)) return
  const info = yield* session.get(id).pipe(Effect.option)
  // A subagent's wait is lost, together with the tool call that its parent made.
  if (info._tag === "None" || info.value.parentID) return
  const found = CombinedWaits.take(id)
  if (!found) return
  // The message has nothing to keep, but may have been marked as interrupted when OpenCode ended.
  if (!found.kept)
    yield* session.removeMessage({ sessionID: id, messageID: MessageID.make(found.message) }).pipe(Effect.ignore)
  yield* Effect.logInfo("combined wait continues", { "session.id": id, since: found.since })
  yield* prompt
    .loop({ sessionID: id })
    .pipe(
      Effect.ensuring(Effect.sync(() => CombinedWaits.takenOver(id))),
      Effect.ignore,
      Effect.forkIn(scope, { startImmediately: true }),
    )
})

export * as CombinedResume from "./resume"
