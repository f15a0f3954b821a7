/** What the hooks in packages/opencode/src/session/processor.ts call. */
import type { EventV2Bridge } from "@/event-v2-bridge"
import { TuiEvent } from "@/server/tui-event"
import type { LLM } from "@/session/llm"
import type { SessionStatus } from "@/session/status"
import type { SessionSummary } from "@/session/summary"
import type { Snapshot } from "@/snapshot"
import { Effect } from "effect"
import { CombinedSnapshot } from "../driver/snapshot"
import { CombinedTurn } from "../driver/turn"
import { CombinedEvents } from "../server/events"
import { CombinedNotice } from "../turn/notice"
import type { CombinedHappening } from "../view/happening"

export { settle } from "../driver/retraction"
export { begin } from "../driver/snapshot"

type Given = Omit<CombinedTurn.Turn, "tell"> & {
  readonly events: Pick<EventV2Bridge.Service["Service"], "publish">
  readonly snapshot: Snapshot.Interface
  readonly summary: SessionSummary.Interface
}

/** How long the TUI shows which member takes over, in milliseconds. */
const SHOWN = 8000

export const stream = (ctx: CombinedTurn.Turn["ctx"], input: LLM.StreamInput, send: LLM.Interface["stream"]) =>
  CombinedSnapshot.stream(ctx, input, (held) => CombinedTurn.stream(ctx, held, send))

export const guard = (given: Given) =>
  CombinedTurn.guard({
    ...given,
    status: { ...given.status, set: told(given) },
    tell: (happening) => tell(given, happening),
    handleEvent: (event) =>
      event.type === "step-finish" ? CombinedSnapshot.finish(given, event) : given.handleEvent(event),
  })

/**
 * A member that takes over is also announced by a status, which `told` shows. A member that is left out is not, so it
 * needs a toast.
 */
const tell = ({ ctx, events }: Given, happening: CombinedHappening.Happening) =>
  events
    .publish(CombinedEvents.Switched, { sessionID: ctx.sessionID, ...happening })
    .pipe(
      Effect.andThen(
        happening.action === "left out"
          ? events.publish(TuiEvent.ToastShow, { message: happening.message, variant: "warning", duration: SHOWN })
          : Effect.void,
      ),
      Effect.asVoid,
    )

/** The TUI shows upstream's own toasts, but no status of a session that retries at once. */
const told =
  ({ status, events }: Given): SessionStatus.Interface["set"] =>
  (sessionID, info) =>
    info.type === "retry" && info.message.startsWith(CombinedNotice.SWITCH)
      ? status
          .set(sessionID, info)
          .pipe(
            Effect.andThen(
              events.publish(TuiEvent.ToastShow, { message: info.message, variant: "warning", duration: SHOWN }),
            ),
            Effect.asVoid,
          )
      : status.set(sessionID, info)

export * as CombinedSessionProcessor from "./processor"
