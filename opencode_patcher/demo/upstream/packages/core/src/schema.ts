import { Schema } from "effect"

export const PositiveInt = Schema.Int.check(Schema.isGreaterThan(0))
