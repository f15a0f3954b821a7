export * as SessionGenerate from "./generate"

import type { LLMError } from "@opencode-ai/ai"
import { Context, type Effect } from "effect"
import type { SessionRunnerModel } from "./runner/model"
import type { SessionSchema } from "./schema"

export interface Interface {
  /** A text about a session, which is not kept. */
  readonly generate: (input: {
    readonly sessionID: SessionSchema.ID
    readonly prompt: string
  }) => Effect.Effect<string, LLMError | SessionRunnerModel.Error>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionGenerate") {}
