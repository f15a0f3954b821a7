/** The frame around the screen of a session: it follows the program's events and says what the screen does not show. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Session } from "./routes/session/index"

type Providers = Parameters<typeof Session>[0]["providers"]

type Note = { variant: "info" | "warning"; message: string; duration?: number }

type Listen = (type: string, handler: (event: { properties: any }) => void) => void

export function App(props: {
  sessionID: string
  providers: Providers
  messages: readonly SessionV1.WithParts[]
  listen: Listen
  note: (text: string) => void
}) {
  const event = { on: props.listen }
  const route = { data: { type: "session", sessionID: props.sessionID } }
  const toast = { show: (note: Note) => props.note(note.message) }

  event.on("session.deleted", (evt) => {
    if (route.data.type === "session" && route.data.sessionID === evt.properties.info.id) {
      toast.show({ variant: "info", message: "The current session was deleted" })
    }
  })

  return Session({ providers: props.providers, messages: props.messages })
}
