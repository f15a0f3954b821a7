/** The routes below `/combined`: what is known about the members of the combined models, and steering a session. */
import { CombinedForms, ROOT } from "@opencode-ai/core/combined/host/forms"
import { SessionV2 } from "@opencode-ai/core/session"
import { SessionNotFoundError } from "@opencode-ai/protocol/errors"
import { LocationQuery } from "@opencode-ai/protocol/groups/location"
import { Authorization } from "@opencode-ai/protocol/middleware/authorization"
import { SchemaErrorMiddleware } from "@opencode-ai/protocol/middleware/schema-error"
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup } from "effect/unstable/httpapi"

export class MemberNotFoundError extends Schema.TaggedErrorClass<MemberNotFoundError>()(
  "CombinedMemberNotFoundError",
  { message: Schema.String },
  { httpApiStatus: 404 },
) {}

/** The directory of the client, in upstream's form or in OpenCode 1's. */
const query = { ...LocationQuery.fields, directory: Schema.optional(Schema.String) }
const error = [MemberNotFoundError, SessionNotFoundError] as const
const params = { sessionID: SessionV2.ID }
const { Picture, Steer, Moved, ABOUT } = CombinedForms

export const CombinedApi = HttpApi.make("combined").add(
  HttpApiGroup.make("server.combined")
    .add(
      HttpApiEndpoint.get("picture", ROOT, {
        query: { ...query, sessionID: Schema.optional(SessionV2.ID) },
        success: Picture,
        error,
      }).annotateMerge(ABOUT.picture),
    )
    .add(
      HttpApiEndpoint.post("clear", `${ROOT}/clear`, {
        query,
        payload: CombinedForms.Clear,
        success: Picture,
        error,
      }).annotateMerge(ABOUT.clear),
    )
    .add(
      HttpApiEndpoint.post("pin", `${ROOT}/session/:sessionID/pin`, {
        params,
        payload: CombinedForms.Pin,
        success: Steer,
        error,
      }).annotateMerge(ABOUT.pin),
    )
    .add(
      HttpApiEndpoint.post("skip", `${ROOT}/session/:sessionID/skip`, {
        params,
        payload: CombinedForms.Skip,
        success: Steer,
        error,
      }).annotateMerge(ABOUT.skip),
    )
    .add(
      HttpApiEndpoint.post("off", `${ROOT}/session/:sessionID/off`, {
        params,
        payload: CombinedForms.Off,
        success: Steer,
        error,
      }).annotateMerge(ABOUT.off),
    )
    .add(
      HttpApiEndpoint.post("next", `${ROOT}/session/:sessionID/next`, {
        params,
        success: Moved,
        error,
      }).annotateMerge(ABOUT.next),
    )
    .add(
      HttpApiEndpoint.get("report", `${ROOT}/report`, {
        query: { ...query, all: Schema.optional(Schema.Literals(["true", "false"])) },
        success: Schema.Unknown,
        error,
      }).annotateMerge(ABOUT.report),
    )
    .annotateMerge(CombinedForms.DESCRIPTION)
    .middleware(Authorization)
    .middleware(SchemaErrorMiddleware),
)

export * as CombinedGroup from "./group"
