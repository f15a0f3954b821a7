/** The session runner of this release cannot fail over, and says so at once. */
import { Effect } from "effect"

type Ref = { readonly providerID: string; readonly id: string }

export const admit = (model: Ref | undefined): Effect.Effect<void, string> =>
  model?.providerID === "combined"
    ? Effect.fail(
        `combined/${model.id} cannot be used with this API of this release. POST /session/:id/message can, and so can this API from v1.17.12 on.`,
      )
    : Effect.void

export * as CombinedRunnerAdmit from "./admit"
