/** What happens in a session, for the store and for all who watch. */
export * as SessionEvent from "./event"

import type { FinishReason } from "@opencode-ai/ai"
import { Event } from "@opencode-ai/schema/event"
import type { SessionError } from "@opencode-ai/schema/session-error"
import type { TokenUsage } from "@opencode-ai/schema/token-usage"
import type { ModelV2 } from "../model"
import type { Snapshot } from "../snapshot"
import type { SessionMessage } from "./message"
import type { SessionSchema } from "./schema"

type Base = { readonly sessionID: SessionSchema.ID }
type Part = Base & { readonly assistantMessageID: SessionMessage.ID }
type Block = Part & { readonly ordinal: number }
type Call = Part & { readonly callID: string }
type Table = Readonly<Record<string, unknown>>
type Used = { readonly cost: number; readonly tokens: TokenUsage.Info }

export type Data = {
  readonly "session.created": Base & { readonly info: SessionSchema.Info }
  readonly "session.renamed": Base & { readonly title: string }
  readonly "session.usage.recorded": Base & Used & { readonly source: string }
  readonly "session.execution.started": Base
  readonly "session.execution.succeeded": Base
  readonly "session.execution.failed": Base & { readonly error: SessionError.Error }
  readonly "session.execution.interrupted": Base
  readonly "session.input.promoted": Base & { readonly messageID: SessionMessage.ID; readonly text: string }
  readonly "session.step.started": Part & {
    readonly agent: string
    readonly model: ModelV2.Ref
    readonly snapshot?: Snapshot.ID
  }
  readonly "session.step.ended": Part & Used & { readonly finish: FinishReason }
  readonly "session.step.failed": Part & Partial<Used> & { readonly error: SessionError.Error }
  readonly "session.retry.scheduled": Part & {
    readonly attempt: number
    readonly at: number
    readonly error: SessionError.Error
  }
  readonly "session.text.started": Block
  readonly "session.text.delta": Block & { readonly delta: string }
  readonly "session.text.ended": Block & { readonly text: string }
  readonly "session.reasoning.started": Block & { readonly state?: Table }
  readonly "session.reasoning.delta": Block & { readonly delta: string }
  readonly "session.reasoning.ended": Block & { readonly text: string; readonly state?: Table }
  readonly "session.tool.input.started": Call & { readonly name: string }
  readonly "session.tool.input.delta": Call & { readonly delta: string }
  readonly "session.tool.input.ended": Call & { readonly text: string }
  readonly "session.tool.called": Call & { readonly input: object; readonly executed: boolean }
  readonly "session.tool.success": Call & { readonly output: string }
  readonly "session.tool.failed": Call & { readonly error: SessionError.Error }
  readonly "session.compaction.started": Base & { readonly messageID: SessionMessage.ID }
  readonly "session.compaction.delta": Base & { readonly text: string }
  readonly "session.compaction.ended": Base & { readonly messageID: SessionMessage.ID; readonly text: string }
  readonly "session.compaction.failed": Base & {
    readonly messageID: SessionMessage.ID
    readonly error: SessionError.Error
  }
}

export type Of<Type extends keyof Data> = Event.Payload<Type, Data[Type]>

const define = <Type extends keyof Data>(type: Type) => Event.define<Data[Type]>()(type)

export const Created = define("session.created")
export const Renamed = define("session.renamed")
export const UsageRecorded = define("session.usage.recorded")
export const InputPromoted = define("session.input.promoted")
export const RetryScheduled = define("session.retry.scheduled")

export const Execution = {
  Started: define("session.execution.started"),
  Succeeded: define("session.execution.succeeded"),
  Failed: define("session.execution.failed"),
  Interrupted: define("session.execution.interrupted"),
}

export const Step = {
  Started: define("session.step.started"),
  Ended: define("session.step.ended"),
  Failed: define("session.step.failed"),
}

export const Text = {
  Started: define("session.text.started"),
  Delta: define("session.text.delta"),
  Ended: define("session.text.ended"),
}

export const Reasoning = {
  Started: define("session.reasoning.started"),
  Delta: define("session.reasoning.delta"),
  Ended: define("session.reasoning.ended"),
}

export const Tool = {
  Input: {
    Started: define("session.tool.input.started"),
    Delta: define("session.tool.input.delta"),
    Ended: define("session.tool.input.ended"),
  },
  Called: define("session.tool.called"),
  Success: define("session.tool.success"),
  Failed: define("session.tool.failed"),
}

export const Compaction = {
  Started: define("session.compaction.started"),
  Delta: define("session.compaction.delta"),
  Ended: define("session.compaction.ended"),
  Failed: define("session.compaction.failed"),
}
