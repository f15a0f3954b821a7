/** The events that clients of the real server get. The small one passes on all. */
import { Command } from "./command.js"

const inventory = <Definitions extends readonly unknown[]>(...definitions: Definitions) => definitions
const Event = { inventory }

const featureDefinitions = Event.inventory(
  ...Command.Event.Definitions,
  // The small OpenCode has no others.
)

export const ServerDefinitions = featureDefinitions
