/** Installs packages. None is installed by this small program. */
export * as Npm from "./npm"

import { Context, Data, Effect, Layer } from "effect"
import { makeGlobalNode } from "./effect/app-node"

export class InstallError extends Data.TaggedError("Npm.InstallError")<{ readonly message: string }> {}

export interface Interface {
  readonly add: (name: string) => Effect.Effect<{ readonly directory: string }, InstallError>
}

export class Service extends Context.Service<Service, Interface>()("@small/Npm") {}

const layer = Layer.succeed(
  Service,
  Service.of({ add: (name) => Effect.fail(new InstallError({ message: `${name} is not installed` })) }),
)

export const node = makeGlobalNode({ service: Service, layer })
