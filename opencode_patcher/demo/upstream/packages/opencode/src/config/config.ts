import path from "path"
import { Global } from "@opencode-ai/core/global"
import { ConfigV1 } from "@opencode-ai/core/v1/config/config"
import { Context, Effect, Layer, Schema } from "effect"

export type Info = ConfigV1.Info

export interface Interface {
  readonly get: () => Effect.Effect<Info>
}

export class Service extends Context.Service<Service, Interface>()("@small/Config") {}

export class InvalidError extends Schema.TaggedErrorClass<InvalidError>()("ConfigInvalidError", {
  path: Schema.String,
  reason: Schema.String,
}) {
  override get message() {
    return `Configuration is invalid at ${this.path}\n${this.reason}`
  }
}

const decode = Schema.decodeUnknownEffect(ConfigV1.Info, { onExcessProperty: "error", errors: "all" })

const read = Effect.fn("Config.read")(function* (file: string) {
  const found = Bun.file(file)
  if (!(yield* Effect.promise(() => found.exists()))) return {}
  const invalid = (error: unknown) => new InvalidError({ path: file, reason: String(error) })
  const content = yield* Effect.tryPromise({ try: (): Promise<unknown> => found.json(), catch: invalid })
  return yield* decode(content).pipe(Effect.mapError(invalid))
})

/** The user's configuration with the project's on top. */
export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const user = yield* read(path.join(Global.Path.config, "opencode.json"))
    const project = yield* read(path.join(process.cwd(), "opencode.json"))
    const info: Info = { ...user, ...project }
    return Service.of({ get: () => Effect.succeed(info) })
  }),
)

export * as Config from "./config"
