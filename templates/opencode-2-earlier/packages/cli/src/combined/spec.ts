/** How `opencode2 combined` is called, and which options `opencode2 run` has for combined models. */
import { CombinedSteer } from "@opencode-ai/core/combined/choice/steer"
import { Option } from "effect"
import { Argument, Flag } from "effect/unstable/cli"
import { Spec } from "../framework/spec"

const json = Flag.boolean("json").pipe(Flag.withDescription("Print one JSON object"), Flag.withDefault(false))

const listed = {
  json,
  all: Flag.boolean("all").pipe(Flag.withDescription("Also models of one provider"), Flag.withDefault(false)),
  standalone: Flag.boolean("standalone").pipe(
    Flag.withDescription("Run with a private server instead of the background service"),
    Flag.withDefault(false),
  ),
  server: Flag.string("server").pipe(
    Flag.withDescription("Connect to a server URL instead of the background service"),
    Flag.optional,
  ),
}

const { all: _, ...checked } = listed

export const spec = Spec.make("combined", {
  description: "Combined models: members, health, mistakes in the settings, attempts",
  params: listed,
  commands: [
    Spec.make("list", { description: "List the combined models of this directory with their members", params: listed }),
    Spec.make("health", {
      description: "Show which provider is being avoided and until when; `health clear` asks it again now",
      params: {
        json,
        action: Argument.choice("action", ["clear"]).pipe(Argument.withDescription("What to do"), Argument.optional),
        member: Argument.string("member").pipe(
          Argument.withDescription("A provider, or provider/model; all of them without it"),
          Argument.optional,
        ),
      },
    }),
    Spec.make("check", { description: "Find mistakes in the settings of combined models", params: checked }),
    Spec.make("attempts", {
      description: "Show which provider answered, what failed, and what it cost",
      params: {
        json,
        last: Flag.integer("last").pipe(Flag.withDescription("How many"), Flag.withDefault(40)),
      },
    }),
  ],
})

const MOST_SKIPPED = 100

/** The options of `run` that steer its session. */
export const steering = {
  pin: Flag.string("pin").pipe(Flag.withDescription(CombinedSteer.OPTIONS.pin), Flag.optional),
  skip: Flag.string("skip").pipe(Flag.withDescription(CombinedSteer.OPTIONS.skip), Flag.atMost(MOST_SKIPPED)),
  failover: Flag.boolean("failover").pipe(Flag.withDescription(CombinedSteer.OPTIONS.failover), Flag.optional),
}

type Given = {
  readonly pin: Option.Option<string>
  readonly skip: readonly string[]
  readonly failover: Option.Option<boolean>
}

/** The wishes that these options express. */
export const wishes = ({ pin, skip, failover }: Given) =>
  CombinedSteer.wishes({ pin: Option.getOrUndefined(pin), skip, failover: Option.getOrUndefined(failover) })

export * as CombinedSpec from "./spec"
