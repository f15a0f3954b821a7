export * as ConfigParse from "./parse"

import { Cause, Exit, Schema } from "effect"

export class InvalidError extends Schema.TaggedErrorClass<InvalidError>()("ConfigInvalidError", {
  path: Schema.String,
  reason: Schema.String,
}) {
  override get message() {
    return `Configuration is invalid at ${this.path}\n${this.reason}`
  }
}

export function jsonc(text: string, source: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidError({ path: source, reason: String(error) })
  }
}

/** The value as the schema has it. A key at the top that is not in the schema is an error. */
export function schema<S extends Schema.Decoder<unknown, never>>(wanted: S, data: unknown, source: string): S["Type"] {
  const known = wanted.ast._tag === "Objects" ? wanted.ast.propertySignatures.map((item) => String(item.name)) : []
  const extra = Object.keys(data ?? {}).filter((key) => known.length && !known.includes(key))
  if (extra.length) throw new InvalidError({ path: source, reason: `Unrecognized keys: ${extra.join(", ")}` })
  const decoded = Schema.decodeUnknownExit(wanted)(data, { errors: "all" })
  if (Exit.isSuccess(decoded)) return decoded.value
  throw new InvalidError({ path: source, reason: String(Cause.squash(decoded.cause)) })
}
