/** Prepares the session of `run` on a server. The small one has no server of its own for it: ./index.ts. */
import { UI } from "./ui"

type Endpoint = { readonly url: string }

declare namespace ServerConnection {
  type Resolved = { readonly endpoint: Endpoint }
}

export type RunCommandInput = {
  server: ServerConnection.Resolved
  message: string
  model?: string
}

export const runNonInteractive = (input: RunCommandInput) => execute(input, input.server.endpoint)

async function execute(input: RunCommandInput, endpoint: Endpoint) {
  const target = input.message ? { session: { id: `session at ${endpoint.url}` } } : undefined
  if (!target) return
  UI.println(target.session.id)
}

export const reportRunError = (_input: object, message: string, _sessionID?: string) => UI.println(message)
