export * as SessionRunner from "./index"

import type { LLMError } from "@opencode-ai/ai"
import { Context, type Effect } from "effect"
import type { ToolRegistry } from "../../tool"
import type { StepFailedError } from "../error"
import type { SessionSchema } from "../schema"
import type { SessionRunnerModel } from "./model"

export type RunError = LLMError | SessionRunnerModel.Error | StepFailedError | ToolRegistry.StartError

export interface Interface {
  /** Answers what the user has said, step by step. With ``force`` also if nothing is new, as after a restart. */
  readonly drain: (input: {
    readonly sessionID: SessionSchema.ID
    readonly force: boolean
  }) => Effect.Effect<void, RunError>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionRunner") {}
