import { Context, Effect, Layer, Schema } from "effect"

export type Method = "curl" | "unknown"

export class UpgradeFailedError extends Schema.TaggedErrorClass<UpgradeFailedError>()("UpgradeFailedError", {
  stderr: Schema.String,
}) {
  override get message() {
    return this.stderr
  }
}

export interface Interface {
  readonly method: () => Method
  readonly upgrade: (method: Method, target: string) => Effect.Effect<void, UpgradeFailedError>
}

export class Service extends Context.Service<Service, Interface>()("@small/Installation") {}

export const layer = Layer.effect(
  Service,
  Effect.sync(() => {
    const result: Interface = {
      method: () => (process.execPath.includes(".opencode/bin") ? "curl" : "unknown"),
      upgrade: Effect.fn("Installation.upgrade")(function* (m: Method, target: string) {
        return yield* new UpgradeFailedError({ stderr: `There is no release ${target} to install (method: ${m})` })
      }),
    }
    return Service.of(result)
  }),
)

export * as Installation from "."
