import type { SessionError } from "@opencode-ai/schema/session-error"
import { Data } from "effect"

/** A step has ended with an error, which is in its message. */
export class StepFailedError extends Data.TaggedError("Session.StepFailedError")<{
  readonly error: SessionError.Error
}> {
  override get message() {
    return this.error.message
  }
}
