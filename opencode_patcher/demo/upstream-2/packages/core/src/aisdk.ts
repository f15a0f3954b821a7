export * as AISDK from "./aisdk"

import { LLMError, LLMEvent, UnknownProviderReason, type Model } from "@opencode-ai/ai"
import type { Route } from "@opencode-ai/ai/route"
import { Context, Data, Effect, Layer, Stream } from "effect"
import { makeGlobalNode } from "./effect/app-node"
import type { ModelV2 } from "./model"
import { ProviderV2 } from "./provider"

/** What a package of the AI SDK makes. This small program has none; a module that is like one can be named instead. */
type Language = {
  readonly doStream: (request: object) => PromiseLike<{ readonly stream: ReadableStream<LLMEvent> }>
}

type Options = Record<string, unknown> & { fetch?: (input: string, opts: RequestInit) => Promise<Response> }

type Package = { readonly create?: (options: Options) => { readonly languageModel: (id: string) => Language } }

export class InitError extends Data.TaggedError("AISDK.InitError")<{ readonly message: string }> {}

export interface Interface {
  readonly model: (model: ModelV2.Info) => Effect.Effect<Model, InitError>
}

export class Service extends Context.Service<Service, Interface>()("@small/AISDK") {}

function prepareOptions(settings: ModelV2.Info["settings"]) {
  const options: Options = { ...settings }
  const customFetch = options.fetch
  options.fetch = async (input, opts) => {
    const res = await (typeof customFetch === "function" ? customFetch : fetch)(input, {
      ...opts,
      keepalive: false,
    })
    return res
  }
  return options
}

const llmError = (method: string, error: unknown) =>
  new LLMError({ module: "AISDK", method, reason: new UnknownProviderReason({ message: String(error) }) })

/** How many parts have come. The small one passes on what its packages say. */
type State = { parts: number }

const streamPartEvents = <Part>(state: State, part: Part) => Effect.sync(() => (state.parts++, part))

function streamLanguage(language: Language, options: object) {
  const state: State = { parts: 0 }
  return Stream.concat(
    Stream.make(LLMEvent.stepStart({ index: 0 })),
    Stream.unwrap(
      Effect.tryPromise({
        try: () => language.doStream(options),
        catch: (error) => llmError("doStream", error),
      }).pipe(
        Effect.map(({ stream }) =>
          Stream.fromReadableStream({ evaluate: () => stream, onError: (error) => llmError("readStream", error) }).pipe(
            Stream.mapEffect((event) => streamPartEvents(state, event)),
          ),
        ),
      ),
    ),
  )
}

const refuse = () => {
  throw new Error("A package of the AI SDK sends its requests itself")
}

const routeTo = (provider: string, language: Language): Route => {
  const route: Route = {
    id: "ai-sdk",
    provider,
    transport: { id: "ai-sdk", prepare: refuse, frames: refuse },
    with: () => route,
    model: ({ id }) => ({ id, provider, route }),
    prepareTransport: refuse,
    streamPrepared: (_prepared, request) => streamLanguage(language, request),
  }
  return route
}

const layer = Layer.succeed(
  Service,
  Service.of({
    model: Effect.fnUntraced(function* ({ id, modelID, providerID, package: name, settings }) {
      const wanted = ProviderV2.packageName(name) ?? ""
      const failed = () => new InitError({ message: `Nothing here can ask ${providerID}/${id}` })
      const found = yield* Effect.tryPromise({ try: (): Promise<Package> => import(wanted), catch: failed })
      if (!found.create) return yield* failed()
      return routeTo(providerID, found.create(prepareOptions(settings)).languageModel(modelID)).model({ id: modelID })
    }),
  }),
)

export const node = makeGlobalNode({ service: Service, layer })
