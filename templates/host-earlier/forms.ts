/** The parameters and responses of the routes below `/combined`, for both lines of OpenCode. */
import { Schema } from "effect"
import { OpenApi } from "effect/unstable/httpapi"
import { KINDS } from "../failure/classify"

export const ROOT = "/combined"

export const Steer = Schema.Struct({
  pin: Schema.optional(Schema.String),
  skip: Schema.optional(Schema.Array(Schema.String)),
  off: Schema.optional(Schema.Boolean),
}).annotate({ identifier: "CombinedSteer" })

const Named = Schema.Struct({ id: Schema.String, name: Schema.String })

const trouble = {
  kind: Schema.Literals(KINDS),
  message: Schema.String,
  since: Schema.Number,
  until: Schema.Number,
}

const Row = Schema.Struct({
  member: Schema.String,
  provider: Named,
  model: Named,
  standing: Schema.Literals(["serving", "ready", "warm", "cooling", "skipped"]),
  next: Schema.Boolean,
  pinned: Schema.Boolean,
  ruledOut: Schema.optional(Schema.Literals(["pinned elsewhere", "skipped", "off"])),
  cooldown: Schema.optional(Schema.Struct({ ...trouble, whole: Schema.Boolean })),
  lastError: Schema.optional(Schema.Struct(trouble)),
  windows: Schema.Array(Schema.Struct({ name: Schema.String, used: Schema.Number, ends: Schema.Number })),
  price: Schema.Literals(["plan", "metered", "free"]),
  cost: Schema.Number,
}).annotate({ identifier: "CombinedMember" })

export const Picture = Schema.Struct({
  at: Schema.Number,
  steer: Steer,
  models: Schema.Array(Schema.Struct({ ...Named.fields, members: Schema.Array(Row) })),
}).annotate({ identifier: "CombinedPicture" })

export const Moved = Schema.Struct({ running: Schema.Number, moved: Schema.Number }).annotate({
  identifier: "CombinedMoved",
})

export const Clear = Schema.Struct({ member: Schema.optional(Schema.String) })
export const Pin = Schema.Struct({ member: Schema.NullOr(Schema.String) })
export const Skip = Schema.Struct({ member: Schema.String, skip: Schema.optional(Schema.Boolean) })
export const Off = Schema.Struct({ off: Schema.Boolean })

export const DESCRIPTION = OpenApi.annotations({
  title: "combined",
  description: "Combined models: their members' health.",
})

const about = (identifier: string, summary: string, description: string) =>
  OpenApi.annotations({ identifier: `combined.${identifier}`, summary, description })

/** The text about each route in the description of the API. */
export const ABOUT = {
  picture: about(
    "picture",
    "See the members of the combined models",
    "Who serves, who could, who is not asked, why and until when. With a session: also what its answers cost and what the user wants in it.",
  ),
  clear: about("clear", "End cooldowns", "Asks a member again (provider/model, or a provider), or forgets everything."),
  pin: about("pin", "Pin a member", "Only this member is asked in the session, also if it fails; null ends that."),
  skip: about("skip", "Skip a member", "The member is not asked in the session from the next attempt on."),
  off: about("off", "Turn failover off or on", "Without failover only the first member is asked in the session."),
  next: about(
    "next",
    "Ask the next provider now",
    "Ends the running request of the session and asks the next member. Nobody is left alone for it.",
  ),
  report: about(
    "report",
    "Everything about the combined models of a directory",
    "What `opencode2 combined --json` prints. With `all`, also models that only one provider has.",
  ),
}

export * as CombinedForms from "./forms"
