import type { Effect } from "effect"

export type Where = { readonly sessionID: string; readonly messageID: string }

export type Definition = {
  readonly id: string
  readonly description: string
  /** A JSON schema. */
  readonly parameters: object
  readonly execute: (args: unknown, where: Where) => Effect.Effect<{ title: string; output: string }, unknown>
}

export const text = (description: string) => ({ type: "string", description })

export const parameters = (properties: Record<string, object>, required: string[]) => ({
  type: "object",
  properties,
  required,
})
