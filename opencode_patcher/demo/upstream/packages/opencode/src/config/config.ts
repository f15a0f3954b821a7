import { existsSync, readFileSync } from "fs"
import path from "path"
import { Global } from "@opencode-ai/core/global"
import { ConfigV1 } from "@opencode-ai/core/v1/config/config"
import { Context, Effect, Layer } from "effect"
import { ConfigParse } from "./parse"
import { ConfigPaths } from "./paths"

export type Info = ConfigV1.Info

export interface Interface {
  readonly get: () => Effect.Effect<Info>
}

export class Service extends Context.Service<Service, Interface>()("@small/Config") {}

const Flag = { OPENCODE_DISABLE_PROJECT_CONFIG: process.env["OPENCODE_DISABLE_PROJECT_CONFIG"] === "1" }

function mergeConfig(target: Info, source: Info): Info {
  return { ...target, ...source }
}

/** The user's configuration, with the project's and the administrator's on top. */
export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const loadConfig = Effect.fnUntraced(function* (
      text: string,
      options: { path: string } | { dir: string; source: string },
    ) {
      const source = "path" in options ? options.path : options.source
      const expanded = text.replace(/\{env:([^}]+)\}/g, (_, name: string) => process.env[name] ?? "")
      const parsed = ConfigParse.jsonc(expanded, source)
      return ConfigParse.schema(ConfigV1.Info, parsed, source)
    })

    const loadFile = Effect.fnUntraced(function* (filepath: string) {
      const text = existsSync(filepath) ? readFileSync(filepath, "utf8") : ""
      if (!text) return {} as Info
      return yield* loadConfig(text, { path: filepath })
    })

    const loadGlobal = Effect.fnUntraced(function* () {
      let result: Info = yield* loadFile(path.join(Global.Path.config, "opencode.json"))
      const legacy = path.join(Global.Path.config, "config")
      return mergeConfig(result, yield* loadFile(legacy))
    })

    const load = Effect.fn("Config.load")(
      function* (directory: string) {
        let result = yield* loadGlobal()
        const merge = (_source: string, next: Info) => Effect.sync(() => void (result = mergeConfig(result, next)))
        if (!Flag.OPENCODE_DISABLE_PROJECT_CONFIG) {
          for (const file of yield* ConfigPaths.files("opencode", directory)) {
            yield* merge(file, yield* loadFile(file))
          }
        }

        for (const dir of [path.join(directory, ".opencode")]) {
          if (existsSync(dir)) {
            for (const file of ["opencode.json", "opencode.jsonc"]) {
              const source = path.join(dir, file)
              yield* merge(source, yield* loadFile(source))
            }
          }
        }

        const managedDir = process.env["OPENCODE_TEST_MANAGED_CONFIG_DIR"] ?? "/etc/opencode"
        if (existsSync(managedDir)) {
          for (const file of ["opencode.json", "opencode.jsonc"]) {
            const source = path.join(managedDir, file)
            yield* merge(source, yield* loadFile(source))
          }
        }
        return result
      },
      Effect.orDie,
    )

    const info = yield* load(process.cwd())
    return Service.of({ get: () => Effect.succeed(info) })
  }),
)

export * as Config from "./config"
