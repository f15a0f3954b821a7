/**
 * Checks whether a session can be prompted. Otherwise a prompt for a model that cannot be resolved would be accepted
 * and nothing would happen.
 */
import { Effect } from "effect"
import { Catalog } from "../../catalog"
import type { ModelV2 } from "../../model"
import { CombinedRunnerCatalogue } from "./catalogue"
import { CombinedRunnerListing } from "./listing"

/** Fails with a message if the session's model is a combined one that the new runner cannot use. */
export const admit = Effect.fn("CombinedRunnerAdmit.admit")(function* (model: ModelV2.Ref | undefined) {
  if (model?.providerID !== CombinedRunnerListing.ID) return undefined
  const catalog = yield* Catalog.Service
  const found = yield* CombinedRunnerCatalogue.find(catalog, model.id)
  if (found?.members.length) return undefined
  if ((yield* catalog.model.available()).some((item) => item.providerID === model.providerID && item.id === model.id))
    return undefined
  if (found)
    return yield* Effect.fail(
      found.reason === undefined
        ? `combined/${model.id} cannot be used with this API: it can ask no provider of that model. POST /session/:id/message can.`
        : `combined/${model.id} cannot be used with this API: ${found.reason}. POST /session/:id/message keeps to these settings.`,
    )
  const known = (yield* CombinedRunnerCatalogue.models(catalog)).flatMap((item) =>
    item.providerID === CombinedRunnerListing.ID ? [`combined/${item.id}`] : [],
  )
  const some = known.length ? ` There are: ${known.slice(0, 10).join(", ")}.` : " No models are combined here."
  return yield* Effect.fail(`There is no model combined/${model.id}.${some}`)
})

export * as CombinedRunnerAdmit from "./admit"
