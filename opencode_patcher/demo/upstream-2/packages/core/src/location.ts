export * as Location from "./location"

import { Context, Layer } from "effect"

export interface Interface {
  readonly directory: string
}

/** The directory that a project is in. */
export class Service extends Context.Service<Service, Interface>()("@small/Location") {}

export const layer = (directory: string) => Layer.succeed(Service, Service.of({ directory }))
