/** A route for tests that need none of its effects. */
import { Effect } from "effect"
import type { CombinedRoute } from "@/combined/provider/route"
import { CombinedTimeouts } from "@/combined/provider/timeouts"
import { CombinedSettings } from "@/combined/settings"
import type { Provider } from "@/provider/provider"

export function routeSample(model: Provider.Model, more: Partial<CombinedRoute.Route> = {}): CombinedRoute.Route {
  return {
    id: "sample",
    member: { providerID: model.providerID, modelID: model.id },
    state: {
      attempt: undefined,
      retracted: false,
      known: undefined,
      heeds: true,
      hold: undefined,
      unthinking: false,
    },
    terms: {
      settings: CombinedSettings.money({}),
      priceClass: "free",
      price: undefined,
      chosen: false,
      metered: [],
      plans: [],
      bars: [],
    },
    usedUp: Effect.succeed(undefined),
    forgone: new Set(),
    fail: () => Effect.void,
    blame: () => Effect.void,
    next: () => Effect.succeed({ type: "serve", model, fits: true }),
    succeed: Effect.void,
    see: () => {},
    permits: () => Effect.succeed(true),
    ruledOut: () => Effect.succeed([]),
    leftOut: () => Effect.succeed([]),
    nameOf: (id) => id,
    others: () => Effect.succeed(true),
    cooling: Effect.succeed(undefined),
    held: () => undefined,
    coolingOf: () => Effect.succeed(undefined),
    unproven: Effect.succeed(false),
    claim: Effect.succeed(true),
    release: Effect.void,
    settings: CombinedSettings.failover({}),
    timeouts: CombinedTimeouts.own(undefined),
    ...more,
  }
}
