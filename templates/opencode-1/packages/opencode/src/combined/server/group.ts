/** The routes below `/combined`: what is known about the members of the combined models, and steering a session. */
import { Authorization } from "@/server/routes/instance/httpapi/middleware/authorization"
import { InstanceContextMiddleware } from "@/server/routes/instance/httpapi/middleware/instance-context"
import {
  WorkspaceRoutingMiddleware,
  WorkspaceRoutingQuery,
  WorkspaceRoutingQueryFields,
} from "@/server/routes/instance/httpapi/middleware/workspace-routing"
import { ApiNotFoundError } from "@/server/routes/instance/httpapi/errors"
import { described } from "@/server/routes/instance/httpapi/groups/metadata"
import { SessionID } from "@/session/schema"
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/unstable/httpapi"
import { KINDS } from "../failure/classify"

const ROOT = "/combined"

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

export const PicturePayload = Schema.Struct({ ...WorkspaceRoutingQueryFields, sessionID: Schema.optional(SessionID) })
export const ClearPayload = Schema.Struct({ member: Schema.optional(Schema.String) })
export const PinPayload = Schema.Struct({ member: Schema.NullOr(Schema.String) })
export const SkipPayload = Schema.Struct({ member: Schema.String, skip: Schema.optional(Schema.Boolean) })
export const OffPayload = Schema.Struct({ off: Schema.Boolean })

const params = { sessionID: SessionID }

const about = (identifier: string, summary: string, description: string) =>
  OpenApi.annotations({ identifier: `combined.${identifier}`, summary, description })

export const CombinedApi = HttpApi.make("combined").add(
  HttpApiGroup.make("combined")
    .add(
      HttpApiEndpoint.get("picture", ROOT, {
        query: PicturePayload,
        success: described(Picture, "The combined models and their members"),
        error: ApiNotFoundError,
      }).annotateMerge(
        about(
          "picture",
          "See the members of the combined models",
          "Who serves, who could, who is not asked, why and until when. With a session: also what its answers cost and what the user wants in it.",
        ),
      ),
      HttpApiEndpoint.post("clear", `${ROOT}/clear`, {
        query: WorkspaceRoutingQuery,
        payload: ClearPayload,
        success: described(Picture, "The combined models and their members"),
        error: ApiNotFoundError,
      }).annotateMerge(
        about("clear", "End cooldowns", "Asks a member again (provider/model, or a provider), or forgets everything."),
      ),
      HttpApiEndpoint.post("pin", `${ROOT}/session/:sessionID/pin`, {
        params,
        query: WorkspaceRoutingQuery,
        payload: PinPayload,
        success: described(Steer, "What the user wants in the session"),
        error: ApiNotFoundError,
      }).annotateMerge(
        about("pin", "Pin a member", "Only this member is asked in the session, also if it fails; null ends that."),
      ),
      HttpApiEndpoint.post("skip", `${ROOT}/session/:sessionID/skip`, {
        params,
        query: WorkspaceRoutingQuery,
        payload: SkipPayload,
        success: described(Steer, "What the user wants in the session"),
        error: ApiNotFoundError,
      }).annotateMerge(
        about("skip", "Skip a member", "The member is not asked in the session from the next attempt on."),
      ),
      HttpApiEndpoint.post("off", `${ROOT}/session/:sessionID/off`, {
        params,
        query: WorkspaceRoutingQuery,
        payload: OffPayload,
        success: described(Steer, "What the user wants in the session"),
        error: ApiNotFoundError,
      }).annotateMerge(
        about("off", "Turn failover off or on", "Without failover only the first member is asked in the session."),
      ),
      HttpApiEndpoint.post("next", `${ROOT}/session/:sessionID/next`, {
        params,
        query: WorkspaceRoutingQuery,
        success: described(Moved, "How many requests were running, and how many were moved"),
        error: ApiNotFoundError,
      }).annotateMerge(
        about(
          "next",
          "Ask the next provider now",
          "Ends the running request of the session and asks the next member. Nobody is left alone for it.",
        ),
      ),
    )
    .annotateMerge(OpenApi.annotations({ title: "combined", description: "Combined models: their members' health." }))
    .middleware(InstanceContextMiddleware)
    .middleware(WorkspaceRoutingMiddleware)
    .middleware(Authorization),
)

export * as CombinedGroup from "./group"
