import { EventEmitter } from "events"

export type GlobalEvent = { directory?: string; payload: { type: string; properties: unknown } }

/** Events for every client, whatever directory it works in. */
export const GlobalBus = new EventEmitter<{ event: [GlobalEvent] }>()
