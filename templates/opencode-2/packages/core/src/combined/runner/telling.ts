/** Tells clients what happens to the members of combined models. */
import type { CombinedHappening } from "../view/happening"
import type { CombinedRunnerRoute } from "./route"
import { CombinedEvent, type EventV2 } from "./upstream/catalog"

type Events = Pick<EventV2.Interface, "publish">

export const health = (events: Events) => events.publish(CombinedEvent.Health, {})

export const happened = (events: Events, { session }: CombinedRunnerRoute.Route, item: CombinedHappening.Happening) =>
  events.publish(CombinedEvent.Switched, { sessionID: session, ...item })

/** The combined model that the events are about, and how they name its providers. */
export const subject = ({ id, nameOf }: CombinedRunnerRoute.Route) => ({ combined: id, nameOf, now: Date.now() })

export * as CombinedRunnerTelling from "./telling"
