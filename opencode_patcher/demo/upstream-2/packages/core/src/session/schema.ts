export * as SessionSchema from "./schema"

import type { TokenUsage } from "@opencode-ai/schema/token-usage"
import { Identifier } from "../id"
import type { ModelV2 } from "../model"

export type ID = string

export const ID = { make: (id: string): ID => id, create: (): ID => Identifier.ascending("ses") }

export type Info = {
  readonly id: ID
  readonly parentID?: ID
  readonly title: string
  readonly agent?: string
  readonly model?: ModelV2.Ref
  readonly location: { readonly directory: string }
  /** Of requests that are no message's, such as that for a title. */
  readonly spent?: { readonly cost: number; readonly tokens: TokenUsage.Info }
  readonly time: { readonly created: number }
}
