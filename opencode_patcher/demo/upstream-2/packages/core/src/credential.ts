export * as Credential from "./credential"

import fs from "fs"
import path from "path"
import { Context, Effect, Layer } from "effect"
import { makeGlobalNode } from "./effect/app-node"
import { Global } from "./global"

export type ID = string

export type Value =
  | { readonly type: "key"; readonly key: string; readonly metadata?: Readonly<Record<string, unknown>> }
  | { readonly type: "oauth"; readonly access: string; readonly metadata?: Readonly<Record<string, unknown>> }

export type Info = { readonly id: ID; readonly integrationID: string; readonly value: Value }

export interface Interface {
  readonly list: (integrationID: string) => Effect.Effect<Info[]>
  readonly get: (id: ID) => Effect.Effect<Info | undefined>
}

export class Service extends Context.Service<Service, Interface>()("@small/Credential") {}

/** A file of the user's. This small program reads it, and has no login. */
const FILE = path.join(Global.Path.data, "credentials.json")

const layer = Layer.sync(Service, () => {
  const all: Info[] = fs.existsSync(FILE) ? JSON.parse(fs.readFileSync(FILE, "utf8")) : []
  return Service.of({
    list: (integrationID) => Effect.succeed(all.filter((item) => item.integrationID === integrationID)),
    get: (id) => Effect.succeed(all.find((item) => item.id === id)),
  })
})

export const node = makeGlobalNode({ service: Service, layer })
