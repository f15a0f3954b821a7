import { Context, Effect, Layer } from "effect"
import { Bus } from "@/event"

export type Info =
  | { type: "idle" }
  | { type: "busy" }
  | { type: "retry"; attempt: number; message: string; next: number }

export interface Interface {
  readonly set: (sessionID: string, status: Info) => Effect.Effect<void>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionStatus") {}

export const layer = Layer.succeed(
  Service,
  Service.of({
    set: (sessionID, status) =>
      Bus.publish({ type: "session.status", properties: { sessionID, status } }).pipe(Effect.asVoid),
  }),
)

export * as SessionStatus from "./status"
