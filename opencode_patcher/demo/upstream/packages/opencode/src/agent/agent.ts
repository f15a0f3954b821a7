/** Makes a new agent from a description: one request, outside any session. */
import { Context, Effect, Layer } from "effect"
import { Provider } from "@/provider/provider"

export interface Interface {
  readonly generate: (input: {
    description: string
    model?: { providerID: string; modelID: string }
  }) => Effect.Effect<string, Provider.NoModelsError | Provider.ModelNotFoundError>
}

export class Service extends Context.Service<Service, Interface>()("@small/Agent") {}

export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const provider = yield* Provider.Service

    return Service.of({
      generate: Effect.fn("Agent.generate")(function* (input: {
        description: string
        model?: { providerID: string; modelID: string }
      }) {
        const model = input.model ?? (yield* provider.defaultModel())
        const resolved = yield* provider.getModel(model.providerID, model.modelID)
        const language = yield* provider.getLanguage(resolved)
        return yield* Effect.promise(async (abort) => {
          const content = `Describe an agent for this, in JSON: ${input.description}`
          const answer: string[] = []
          for await (const event of language({ system: [], messages: [{ role: "user", content }], tools: {}, abort }))
            if (event.type === "text-delta") answer.push(event.text)
          return answer.join("")
        })
      }),
    })
  }),
)

export * as Agent from "./agent"
