/** Finds what in a value does not match the schema of the settings. Pure. */
import type { Node } from "./settings-table"
import { isObject } from "./value"

/** A sentence for each wrong value and each missing key. Unknown keys are not reported here. */
export function wrong(path: string, value: unknown, node: Node): string[] {
  const found = alternative(value, node)
  if (!found) return [`${path} must be ${words(node)}.`]
  if (Array.isArray(value)) {
    const { items } = found
    return items ? value.flatMap((item, index) => wrong(`${path}.${index}`, item, items)) : []
  }
  if (!isObject(value)) return []
  const { properties = {}, required = [] } = found
  return [
    ...required.filter((key) => !Object.hasOwn(value, key)).map((key) => `${path} has no ${key}.`),
    ...Object.entries(properties).flatMap(([key, inner]) =>
      value[key] === undefined ? [] : wrong(`${path}.${key}`, value[key], inner),
    ),
  ]
}

/** The alternative of the schema that fits the kind of the value, without looking inside it. */
export function alternative(value: unknown, node: Node): Node | undefined {
  if (node.anyOf) return node.anyOf.map((one) => alternative(value, one)).find((one) => one !== undefined)
  if (node.enum) return node.enum.includes(value) ? node : undefined
  return node.type === undefined || kinds(value).includes(node.type) ? node : undefined
}

function kinds(value: unknown): readonly string[] {
  if (Array.isArray(value)) return ["array"]
  if (Number.isInteger(value)) return ["integer", "number"]
  return [isObject(value) ? "object" : typeof value]
}

const WORDS: Readonly<Record<string, string>> = {
  string: "a text",
  array: "a list",
  object: "an object",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
}

function words(node: Node): string {
  if (node.anyOf) return [...new Set(node.anyOf.map(words))].join(" or ")
  if (node.enum) return `one of ${node.enum.join(", ")}`
  return WORDS[node.type ?? ""] ?? "something else"
}

export * as CombinedSchema from "./schema"
