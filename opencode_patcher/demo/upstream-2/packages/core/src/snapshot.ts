/** The state of the project's files. This small program has no undo, and takes none. */
export * as Snapshot from "./snapshot"

import { Context, Effect, Layer } from "effect"

export type ID = string

export interface Interface {
  readonly capture: () => Effect.Effect<ID | undefined>
}

export class Service extends Context.Service<Service, Interface>()("@small/Snapshot") {}

export const node = Layer.succeed(Service, Service.of({ capture: () => Effect.succeed(undefined) }))
