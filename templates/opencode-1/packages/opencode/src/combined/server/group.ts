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
import { HttpApi, HttpApiEndpoint, HttpApiGroup } from "effect/unstable/httpapi"
import { CombinedForms, ROOT } from "../host/forms"

export const PicturePayload = Schema.Struct({ ...WorkspaceRoutingQueryFields, sessionID: Schema.optional(SessionID) })

const query = WorkspaceRoutingQuery
const error = ApiNotFoundError
const params = { sessionID: SessionID }
const picture = described(CombinedForms.Picture, "The combined models and their members")
const steer = described(CombinedForms.Steer, "What the user wants in the session")
const moved = described(CombinedForms.Moved, "How many requests were running, and how many were moved")

export const CombinedApi = HttpApi.make("combined").add(
  HttpApiGroup.make("combined")
    .add(
      HttpApiEndpoint.get("picture", ROOT, { query: PicturePayload, success: picture, error }).annotateMerge(
        CombinedForms.ABOUT.picture,
      ),
      HttpApiEndpoint.post("clear", `${ROOT}/clear`, {
        query,
        payload: CombinedForms.Clear,
        success: picture,
        error,
      }).annotateMerge(CombinedForms.ABOUT.clear),
      HttpApiEndpoint.post("pin", `${ROOT}/session/:sessionID/pin`, {
        params,
        query,
        payload: CombinedForms.Pin,
        success: steer,
        error,
      }).annotateMerge(CombinedForms.ABOUT.pin),
      HttpApiEndpoint.post("skip", `${ROOT}/session/:sessionID/skip`, {
        params,
        query,
        payload: CombinedForms.Skip,
        success: steer,
        error,
      }).annotateMerge(CombinedForms.ABOUT.skip),
      HttpApiEndpoint.post("off", `${ROOT}/session/:sessionID/off`, {
        params,
        query,
        payload: CombinedForms.Off,
        success: steer,
        error,
      }).annotateMerge(CombinedForms.ABOUT.off),
      HttpApiEndpoint.post("next", `${ROOT}/session/:sessionID/next`, {
        params,
        query,
        success: moved,
        error,
      }).annotateMerge(CombinedForms.ABOUT.next),
    )
    .annotateMerge(CombinedForms.DESCRIPTION)
    .middleware(InstanceContextMiddleware)
    .middleware(WorkspaceRoutingMiddleware)
    .middleware(Authorization),
)

export * as CombinedGroup from "./group"
