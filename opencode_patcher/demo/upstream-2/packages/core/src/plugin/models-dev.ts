import { Effect, Stream } from "effect"
import { Catalog } from "../catalog"
import { Integration } from "../integration"
import { ModelsDev } from "../models-dev"

/** Puts the catalogue of the build into that of the project. */
export const ModelsDevPlugin = {
  id: "opencode.models-dev",
  effect: Effect.fn(function* (catalog: Catalog.Interface) {
    const modelsDev = yield* ModelsDev.Service
    const integrations = yield* Integration.Service
    yield* Stream.fromIterable(yield* modelsDev.get()).pipe(
      Stream.runForEach(({ info, models, environment }) =>
        catalog
          .transform((draft) => {
            const found = Catalog.record(draft, info.id)
            found.provider = { ...info, integrationID: info.id }
            for (const model of models) found.models.set(model.id, model)
          })
          .pipe(Effect.andThen(integrations.transform((names) => void names.set(info.id, environment)))),
      ),
    )
  }),
}
