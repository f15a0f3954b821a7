/**
 * What a client of the Agent Client Protocol is told when an attempt is taken back.
 *
 * The protocol cannot take back a text that was shown, and a tool call that was announced stays open until it is told
 * otherwise. So the call is ended, and what happened to the text is said in a thought, which no client takes for a part
 * of the answer.
 */
import type { AgentSideConnection } from "@agentclientprotocol/sdk"
import { Effect } from "effect"
import { CombinedNotice } from "../turn/notice"

type Place = { readonly sessionId: string; readonly messageId: string; readonly partId: string }

type Client = {
  readonly connection: Pick<AgentSideConnection, "sessionUpdate">
  /** The sessions of this client, and what it was told of their parts. */
  readonly session: {
    readonly tryGet: (sessionId: string) => Effect.Effect<object | undefined>
    readonly tryGetPartMetadata: (
      place: Place,
    ) => Effect.Effect<{ readonly partType?: string; readonly toolCallId?: string } | undefined>
  }
}

type Removed = {
  readonly properties: { readonly sessionID: string; readonly messageID: string; readonly partID: string }
}

const TAKEN_BACK = "The text above is taken back: its provider failed.\n"

/** Follows the removal of a part. `forget` is given the id of a tool call that is no more. */
export async function removed(event: Removed, client: Client, forget: (toolCallId: string) => void) {
  const { sessionID: sessionId, messageID: messageId, partID: partId } = event.properties
  if (!(await Effect.runPromise(client.session.tryGet(sessionId)))) return
  const known = await Effect.runPromise(client.session.tryGetPartMetadata({ sessionId, messageId, partId }))
  if (known?.partType === "text") return think(client, sessionId, TAKEN_BACK)
  if (known?.partType !== "tool" || !known.toolCallId) return
  forget(known.toolCallId)
  await client.connection.sessionUpdate({
    sessionId,
    update: { sessionUpdate: "tool_call_update", toolCallId: known.toolCallId, status: "failed" },
  })
}

/** Says who goes on, and why. */
export async function switched(
  event: { readonly type: string; readonly properties: { readonly sessionID: string } },
  client: Client,
) {
  const { sessionID } = event.properties
  const line = CombinedNotice.announced(event, sessionID)
  if (!line || !(await Effect.runPromise(client.session.tryGet(sessionID)))) return
  await think(client, sessionID, `${line}\n`)
}

function think(client: Client, sessionId: string, text: string) {
  return client.connection.sessionUpdate({
    sessionId,
    update: { sessionUpdate: "agent_thought_chunk", content: { type: "text", text } },
  })
}

export * as CombinedACPEvent from "./acp-event"
