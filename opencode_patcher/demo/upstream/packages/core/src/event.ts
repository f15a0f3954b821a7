import type { Schema } from "effect"

/** A kind of event. */
export const define = <Fields extends Schema.Struct.Fields>(kind: { type: string; schema: Fields }) => kind

export * as EventV2 from "./event"
