export * as LLMClient from "./client"

import { Auth } from "./auth"
import { Context, Effect, Layer, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/unstable/http"
import { Executor } from "./executor"
import { InvalidProviderOutputReason, LLMError, UnknownProviderReason } from "../schema/errors"
import { LLMEvent, LLMResponse } from "../schema/events"
import type { LLMRequest, Model } from "../schema/messages"
import type { HttpPrepared, Runtime, Transport } from "./transport/http"

/** How an API is spoken: what is sent, and what its events mean. */
export type Protocol<Event, State> = {
  readonly path: string
  readonly body: (request: LLMRequest) => object
  readonly initial: () => State
  readonly step: (state: State, event: Event) => readonly [State, readonly LLMEvent[]]
  readonly isLast: (event: Event) => boolean
}

type Settings = { readonly provider: string; readonly baseURL: string; readonly auth: Auth }

export type Route = {
  readonly id: string
  readonly provider: string
  /** Where the messages keep what belongs to this API. */
  readonly providerMetadataKey?: string
  readonly transport: Transport
  readonly with: (settings: Partial<Settings>) => Route
  readonly model: (input: { readonly id: string }) => Model
  readonly prepareTransport: (request: LLMRequest) => HttpPrepared
  readonly streamPrepared: (
    prepared: HttpPrepared,
    request: LLMRequest,
    runtime: Runtime,
  ) => Stream.Stream<LLMEvent, LLMError>
}

type Input<Event, State> = Partial<Settings> & {
  readonly id: string
  readonly providerMetadataKey?: string
  readonly protocol: Protocol<Event, State>
  readonly transport: Transport
}

export function makeFromTransport<Event, State>(input: Input<Event, State>): Route {
  const { protocol } = input

  const build = (routeInput: Input<Event, State>): Route => {
    const route: Route = {
      id: routeInput.id,
      provider: routeInput.provider ?? routeInput.id,
      providerMetadataKey: routeInput.providerMetadataKey,
      transport: routeInput.transport,
      with: (settings) => build({ ...routeInput, ...settings }),
      model: ({ id }) => ({ id, provider: route.provider, route }),
      prepareTransport: (request: LLMRequest) =>
        routeInput.transport.prepare({
          url: `${routeInput.baseURL}${protocol.path}`,
          body: protocol.body(request),
          auth: routeInput.auth ?? Auth.none,
        }),
      streamPrepared: (prepared: HttpPrepared, request: LLMRequest, runtime: Runtime) => {
        const route = `${request.model.provider}/${request.model.route.id}`
        return answerOf(
          protocol,
          route,
          routeInput.transport.frames(prepared, request, runtime).pipe(
            Stream.mapEffect(decodeEvent(route)),
            Stream.map((event) => event as Event),
            Stream.takeUntil(protocol.isLast),
          ),
        )
      },
    }
    return route
  }

  return build(input)
}

/** What the events of an answer say. One that has no last event has broken off. */
const answerOf = <Event, State>(
  protocol: Protocol<Event, State>,
  route: string,
  events: Stream.Stream<Event, LLMError>,
) =>
  Stream.suspend(() => {
    let ended = false
    return events.pipe(
      Stream.tap((event) => Effect.sync(() => (ended ||= protocol.isLast(event)))),
      Stream.mapAccum(protocol.initial, protocol.step),
      Stream.concat(
        Stream.suspend(() =>
          ended ? Stream.empty : Stream.fail(unreadable(`${route} ended without a terminal event`)),
        ),
      ),
    )
  })

const decodeEvent = (route: string) => (frame: string) =>
  Effect.try({
    try: (): unknown => JSON.parse(frame),
    catch: () => unreadable(`${route} sent what is not JSON`, frame),
  })

const unreadable = (message: string, raw?: string) =>
  new LLMError({
    module: "LLMClient",
    method: "stream",
    reason: new InvalidProviderOutputReason({ message, ...(raw !== undefined && { raw }) }),
  })

export interface Interface {
  readonly stream: (request: LLMRequest) => Stream.Stream<LLMEvent, LLMError>
  readonly generate: (request: LLMRequest) => Effect.Effect<{ readonly text: string }, LLMError>
}

export class Service extends Context.Service<Service, Interface>()("@small/LLMClient") {}

export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const runtime = { http: Executor.make(yield* HttpClient.HttpClient) }

    const stream = (request: LLMRequest) =>
      Stream.suspend(() => {
        const { route } = request.model
        return route.streamPrepared(route.prepareTransport(request), request, runtime)
      })

    const generate = Effect.fn("LLMClient.generate")(function* (request: LLMRequest) {
      const state = yield* stream(request).pipe(Stream.runFold(LLMResponse.empty, LLMResponse.reduce))
      const reason = new UnknownProviderReason({ message: "The answer has no end" })
      return LLMResponse.complete(state) ?? (yield* new LLMError({ module: "LLMClient", method: "generate", reason }))
    })

    return Service.of({ stream, generate })
  }),
).pipe(Layer.provide(FetchHttpClient.layer))
