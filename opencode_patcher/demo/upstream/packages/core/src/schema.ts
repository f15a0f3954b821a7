import { Schema } from "effect"

export const PositiveInt = Schema.Int.check(Schema.isGreaterThan(0))

export const NonNegativeInt = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
