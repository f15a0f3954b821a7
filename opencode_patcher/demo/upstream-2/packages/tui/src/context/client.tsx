import type { EventV2 } from "@opencode-ai/core/event"
import type { ModelV2 } from "@opencode-ai/core/model"

/** What the screen knows of the program behind it. */
export type Client = {
  readonly models: () => readonly ModelV2.Info[]
  readonly listen: (listener: (event: EventV2.Payload) => void) => void
}

const state: { client?: Client } = {}

export const provideClient = (client: Client) => void (state.client = client)

export function useClient(): Client {
  if (!state.client) throw new Error("The screen has no client")
  return state.client
}
