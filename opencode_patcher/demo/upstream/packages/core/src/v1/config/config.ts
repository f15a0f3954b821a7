import { Schema } from "effect"
import { NonNegativeInt, PositiveInt } from "../../schema"

const Model = Schema.Struct({
  name: Schema.optional(Schema.String),
  tool_call: Schema.optional(Schema.Boolean),
  reasoning: Schema.optional(Schema.Boolean),
  release_date: Schema.optional(Schema.String),
  limit: Schema.optional(Schema.Struct({ context: PositiveInt, output: PositiveInt })),
  cost: Schema.optional(Schema.Struct({ input: Schema.Number, output: Schema.Number })),
  options: Schema.optional(Schema.Record(Schema.String, Schema.Unknown)),
})

const Provider = Schema.Struct({
  npm: Schema.optional(Schema.String),
  name: Schema.optional(Schema.String),
  options: Schema.optional(Schema.Record(Schema.String, Schema.Unknown)),
  models: Schema.optional(Schema.Record(Schema.String, Model)),
})

const Agent = Schema.Struct({
  model: Schema.optional(Schema.String),
  variant: Schema.optional(Schema.String),
  steps: Schema.optional(NonNegativeInt).annotate({ description: "Requests to the model that a turn may take" }),
})

/** The content of opencode.json. A key that is not here is an error. */
export const Info = Schema.Struct({
  $schema: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String).annotate({ description: "Model to use, as provider/model" }),
  small_model: Schema.optional(Schema.String).annotate({ description: "Model for titles" }),
  disabled_providers: Schema.optional(Schema.mutable(Schema.Array(Schema.String))).annotate({
    description: "Providers that are not loaded",
  }),
  provider: Schema.optional(Schema.Record(Schema.String, Provider)),
  agent: Schema.optional(Schema.Record(Schema.String, Agent)),
  permission: Schema.optional(Schema.Union([Schema.String, Schema.Record(Schema.String, Schema.String)])),
  autoupdate: Schema.optional(Schema.Boolean),
  share: Schema.optional(Schema.String),
})
export type Info = Schema.Schema.Type<typeof Info>

export * as ConfigV1 from "./config"
