export * as SessionRunnerModel from "./model"

import { Auth } from "@opencode-ai/ai/route"
// ast-grep-ignore: no-star-import
import * as AnthropicMessages from "@opencode-ai/ai/protocols/anthropic-messages"
// ast-grep-ignore: no-star-import
import * as OpenAICompatibleChat from "@opencode-ai/ai/protocols/openai-compatible-chat"
import type { Model } from "@opencode-ai/ai"
import { Context, Data, Effect, Layer } from "effect"
import { AISDK } from "../../aisdk"
import { Catalog } from "../../catalog"
import type { Credential } from "../../credential"
import { makeLocationNode } from "../../effect/app-node"
import { Integration } from "../../integration"
import type { ModelV2 } from "../../model"
import { Npm } from "../../npm"
import { ProviderV2 } from "../../provider"
import type { SessionSchema } from "../schema"

type Name = { readonly providerID: ProviderV2.ID; readonly modelID: ModelV2.ID }

export class ModelNotSelectedError extends Data.TaggedError("SessionRunnerModel.ModelNotSelectedError")<{
  readonly sessionID: SessionSchema.ID
}> {
  override get message() {
    return `The session ${this.sessionID} has no model`
  }
}

export class ModelUnavailableError extends Data.TaggedError("SessionRunnerModel.ModelUnavailableError")<Name> {
  override get message() {
    return `There is no model ${this.providerID}/${this.modelID}`
  }
}

export class UnsupportedPackageError extends Data.TaggedError("SessionRunnerModel.UnsupportedPackageError")<
  Name & { readonly package: string }
> {
  override get message() {
    return `Nothing here can ask ${this.providerID}/${this.modelID} (${this.package})`
  }
}

export type Error =
  | ModelNotSelectedError
  | ModelUnavailableError
  | UnsupportedPackageError
  | Integration.AuthorizationError

export type Resolved = {
  /** What is asked. */
  readonly model: Model
  /** What is stored and shown. */
  readonly ref: ModelV2.Ref
  readonly cost: ModelV2.Info["cost"]
}

export interface Interface {
  readonly resolve: (session: SessionSchema.Info) => Effect.Effect<Resolved, Error>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionRunnerModel") {}

/** The route to a model, undefined if its API is not spoken here. */
function routeOf(model: ModelV2.Info, credential: Credential.Value | undefined) {
  const { settings } = model
  const own = typeof settings?.apiKey === "string" ? settings.apiKey : ""
  const key = credential ? (credential.type === "key" ? credential.key : credential.access) : own
  const baseURL = typeof settings?.baseURL === "string" ? settings.baseURL : undefined
  const provider = model.providerID
  switch (ProviderV2.packageName(model.package)) {
    case "@ai-sdk/openai-compatible":
      return baseURL && OpenAICompatibleChat.route.with({ provider, baseURL, auth: Auth.bearer(key) })
    case "@ai-sdk/anthropic":
      return baseURL && AnthropicMessages.route.with({ provider, baseURL, auth: Auth.header("x-api-key", key) })
  }
}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const catalog = yield* Catalog.Service
    const integrations = yield* Integration.Service
    const npm = yield* Npm.Service
    const aisdk = yield* AISDK.Service

    const other = (model: ModelV2.Info) => {
      const name = ProviderV2.packageName(model.package) ?? ""
      const refusal = { providerID: model.providerID, modelID: model.id, package: name }
      return npm.add(name).pipe(
        Effect.andThen(aisdk.model(model)),
        Effect.mapError(() => new UnsupportedPackageError(refusal)),
      )
    }

    return Service.of({
      resolve: Effect.fn("SessionRunnerModel.resolve")(function* (session) {
        const asked = session.model
        const selected = asked
          ? (yield* catalog.model.available()).find(
              ({ id, providerID }) => id === asked.id && providerID === asked.providerID,
            )
          : yield* catalog.model.default()
        if (!selected && asked)
          return yield* new ModelUnavailableError({ providerID: asked.providerID, modelID: asked.id })
        if (!selected) return yield* new ModelNotSelectedError({ sessionID: session.id })
        const { id, modelID, providerID, cost } = selected
        const provider = yield* catalog.provider.get(providerID)
        const connection = yield* integrations.connection.active(provider?.integrationID ?? providerID)
        const route = routeOf(selected, connection && (yield* integrations.connection.resolve(connection)))
        const model = route ? route.model({ id: modelID }) : yield* other(selected)
        return { model, ref: { id, providerID, ...(asked?.variant && { variant: asked.variant }) }, cost }
      }),
    })
  }),
)

export const node = makeLocationNode({
  service: Service,
  layer,
  deps: [Catalog.node, Integration.node, Npm.node, AISDK.node],
})
