/**
 * What a client of the Agent Client Protocol is told when an attempt is discarded.
 *
 * The protocol cannot remove text that was shown, and an announced tool call stays open until the client is told
 * otherwise. So the call is ended. What happened to the text is said in a thought, because no client shows thoughts as
 * part of the answer.
 */
import type { AgentSideConnection } from "@agentclientprotocol/sdk"
import { Effect } from "effect"
import { CombinedNotice } from "../turn/notice"

type Place = { readonly sessionId: string; readonly messageId: string; readonly partId: string }

type Client = {
  readonly connection: Pick<AgentSideConnection, "sessionUpdate">
  /** The sessions of this client, and what it was told about their parts. */
  readonly session: {
    readonly tryGet: (sessionId: string) => Effect.Effect<object | undefined>
    readonly tryGetPartMetadata: (
      place: Place,
    ) => Effect.Effect<{ readonly partType?: string; readonly toolCallId?: string } | undefined>
  }
}

type Event = { readonly type: string; readonly properties: unknown }

type Updated = { readonly part: { readonly type: string; readonly sessionID: string } }

type Removed = { readonly sessionID: string; readonly messageID: string; readonly partID: string }

const TAKEN_BACK = "The text above was discarded: its provider failed.\n"

/**
 * Tells a client what it needs to know, before upstream handles the event. `forget` gets the id of a removed tool call.
 * Never fails, because upstream waits for some of the same events to end a turn.
 */
export async function follow(event: Event, client: Client, forget: (toolCallId: string) => void) {
  if (event.type !== "message.part.removed" && event.type !== "session.status" && !isHappening(event)) return
  const told = event.type === "message.part.removed" ? removed(event, client, forget) : switched(event, client)
  await told.catch(() => {})
}

async function removed(event: Event, client: Client, forget: (toolCallId: string) => void) {
  const { sessionID: sessionId, messageID: messageId, partID: partId } = event.properties as Removed
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

/**
 * Whether the event is about what happened. There is a `message.part.updated` for each word of an answer, so this is a
 * quick check.
 */
function isHappening({ type, properties }: Event) {
  return type === "message.part.updated" && (properties as Updated).part.type === "retry"
}

/** Says which member takes over or is left out, and why. */
async function switched(event: Event, client: Client) {
  const { part, ...about } = event.properties as Partial<Updated> & { readonly sessionID: string }
  const sessionID = part?.sessionID ?? about.sessionID
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
