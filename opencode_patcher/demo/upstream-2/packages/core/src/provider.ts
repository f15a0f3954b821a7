export * as ProviderV2 from "./provider"

export type ID = string

export const ID = { make: (id: string): ID => id }

export type Settings = Readonly<Record<string, unknown>>

export type Overlays = {
  readonly settings?: Settings
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Settings
}

type Details = Overlays & {
  readonly id: ID
  readonly integrationID?: string
  readonly name: string
  readonly disabled?: boolean
  readonly package: string
}

export type Info = Details

export const Info = { empty: (id: ID): Info => ({ id, name: id, package: "" }) }

const PREFIX = "aisdk:"

export const isAISDK = (name: string | undefined) => name?.startsWith(PREFIX) ?? false

export const aisdk = (name: string) => (isAISDK(name) ? name : PREFIX + name)

export const packageName = (name: string | undefined) => (isAISDK(name) ? name?.slice(PREFIX.length) : name)

const isTable = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Both, where the second counts; tables in them are merged as well. */
export function mergeOverlay(base: Settings | undefined, overlay: Settings | undefined): Settings | undefined {
  if (!base || !overlay) return base ?? overlay
  const made: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(overlay)) {
    const before = made[key]
    made[key] = isTable(before) && isTable(value) ? mergeOverlay(before, value) : (value ?? before)
  }
  return made
}
