export * as Config from "./config"

import fs from "fs"
import path from "path"
import { Context, Effect, Layer } from "effect"
import { parse, type ParseError } from "jsonc-parser"
import { Global } from "./global"
import { Location } from "./location"

export type Model = {
  readonly name?: string
  readonly limit?: { readonly context: number; readonly output: number }
  readonly cost?: { readonly input: number; readonly output: number }
  readonly settings?: Readonly<Record<string, unknown>>
}

export type Provider = {
  readonly name?: string
  readonly package?: string
  readonly settings?: Readonly<Record<string, unknown>>
  readonly models?: Readonly<Record<string, Model>>
}

export type Info = {
  readonly model?: string
  readonly default_agent?: string
  readonly permission?: Readonly<Record<string, unknown>>
  readonly providers?: Readonly<Record<string, Provider>>
}

export type Document = { readonly type: "document"; readonly path?: string; readonly info: Info }
export type Directory = { readonly type: "directory"; readonly path: string }
export type Entry = Document | Directory

/** What the entries say; the last one counts. */
export function latest<Key extends keyof Info>(entries: readonly Entry[], key: Key): Info[Key] | undefined {
  const documents = entries.flatMap((entry) => (entry.type === "document" ? [entry.info] : []))
  return documents.findLast((info) => info[key] !== undefined)?.[key]
}

type Old = Omit<Model, "settings"> & { readonly options?: Readonly<Record<string, unknown>> }

type First = Info & {
  readonly provider?: Readonly<
    Record<
      string,
      {
        readonly name?: string
        readonly npm?: string
        readonly options?: Readonly<Record<string, unknown>>
        readonly models?: Readonly<Record<string, Old>>
      }
    >
  >
}

/** A configuration of OpenCode 1 in the form of OpenCode 2. */
function migrated({ provider, ...info }: First): Info {
  const old = Object.entries(provider ?? {}).map(([id, { name, npm, options, models = {} }]): [string, Provider] => {
    const made = Object.entries(models).map(([model, { options: settings, ...rest }]) => [model, { ...rest, settings }])
    const found = npm === undefined ? undefined : `aisdk:${npm}`
    return [id, { name, package: found, settings: options, models: Object.fromEntries(made) }]
  })
  return old.length ? { ...info, providers: { ...Object.fromEntries(old), ...info.providers } } : info
}

export interface Interface {
  /** From the lowest to the highest priority. */
  readonly entries: () => Effect.Effect<Entry[]>
}

export class Service extends Context.Service<Service, Interface>()("@small/Config") {}

export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const location = yield* Location.Service
    const names = ["opencode.json", "opencode.jsonc"]

    const load = (file: string): Entry[] => {
      if (!fs.existsSync(file)) return []
      const errors: ParseError[] = []
      const info = parse(fs.readFileSync(file, "utf8"), errors, { allowTrailingComma: true })
      return errors.length || typeof info !== "object" ? [] : [{ type: "document", path: file, info: migrated(info) }]
    }

    return Service.of({
      entries: () =>
        Effect.sync(() =>
          [Global.Path.config, location.directory].flatMap((directory): Entry[] => [
            { type: "directory", path: directory },
            ...names.flatMap((name) => load(path.join(directory, name))),
          ]),
        ),
    })
  }),
)

export const node = layer
