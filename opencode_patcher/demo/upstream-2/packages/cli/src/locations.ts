/** The services of each project, made when it is first asked for. */
export * as Locations from "./locations"

import { Catalog } from "@opencode-ai/core/catalog"
import { EventV2 } from "@opencode-ai/core/event"
import { Form } from "@opencode-ai/core/form"
import { Location } from "@opencode-ai/core/location"
import { PluginSupervisor } from "@opencode-ai/core/plugin"
import { SessionV2 } from "@opencode-ai/core/session"
import { SessionRestart } from "@opencode-ai/core/session/execution/restart"
import { SessionStore } from "@opencode-ai/core/session/store"
import { Layer, ManagedRuntime } from "effect"

const services = Layer.mergeAll(
  Catalog.node,
  EventV2.node,
  Form.node,
  PluginSupervisor.node,
  SessionRestart.node,
  SessionStore.node,
  SessionV2.node,
)

const make = (directory: string) => ManagedRuntime.make(services.pipe(Layer.provide(Location.layer(directory))))

const made = new Map<string, ReturnType<typeof make>>()

export function at(directory: string) {
  const found = made.get(directory) ?? make(directory)
  made.set(directory, found)
  return found
}
