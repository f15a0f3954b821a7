/**
 * Everything about combined models as OpenCode sees it in one directory: for `opencode combined`, and with --json for
 * programs. Pure. `opencode-patcher` reads it too (opencode_patcher/configuration/report.py), so fields that it knows
 * must stay.
 */
import type { Variant } from "../identity/identity"
import type { Member } from "../member"
import { CombinedText } from "../text"
import type { PriceClass } from "../money/price"
import { CombinedPicture } from "./picture"

export const FORMAT = 1

/** How the user is connected to a provider. `plugin` also stands for providers that need neither key nor login. */
export type Login = "oauth" | "key" | "environment" | "configuration" | "free" | "plugin"

export type Provider = {
  readonly id: string
  readonly name: string
  readonly login: Login
  /** The environment variable that has its key. */
  readonly variable?: string
  readonly models: number
}

/** Dollars per million tokens. */
export type Price = { readonly input: number; readonly output: number; readonly cache_read: number }

export type Row = {
  readonly provider: string
  readonly provider_name: string
  readonly model: string
  readonly name: string
  /** What is special about this offer, in words. */
  readonly terms: readonly string[]
  readonly when?: readonly string[]
  readonly price_class: PriceClass
  readonly price: Price
  readonly limit: { readonly context: number; readonly output: number }
  /** What the user wants on this machine: that only this member is asked, or that it is not. */
  readonly wish?: "pinned" | "skipped" | "another is pinned"
  /** Why the member is not asked now, and until when (ISO 8601). */
  readonly out?: { readonly class: string; readonly message: string; readonly until: string }
}

export type Model = {
  readonly id: string
  readonly name: string
  /** One of the user's own groups. */
  readonly own: boolean
  readonly members: readonly Row[]
}

export type Mistake = { readonly source?: string; readonly text: string }

export type Report = {
  readonly format: typeof FORMAT
  readonly opencode: string
  readonly build: string
  readonly directory: string
  readonly now: string
  /** Why nothing at all is combined. */
  readonly off?: string
  readonly models: readonly Model[]
  /** Models that only one of the user's providers has; only present if the caller wants them. */
  readonly alone?: readonly Model[]
  readonly providers: readonly Provider[]
  /** Logins that OpenCode does not use, and why. */
  readonly unused_logins: readonly { readonly id: string; readonly why: string }[]
  /** Free offers that would be members if the user named their provider. */
  readonly left_out: readonly string[]
  /** Providers of which nothing is combined, because of `combined.require`. */
  readonly unpromised: readonly string[]
  readonly mistakes: readonly Mistake[]
  /** The source that each setting comes from. `value` is only present for models that are chosen. */
  readonly settings: readonly { readonly key: string; readonly source?: string; readonly value?: string }[]
  /** Files and variables that OpenCode read, in its order. */
  readonly sources: readonly string[]
  readonly plugins: readonly string[]
}

/** What the host knows about an offer. */
export type Known = {
  readonly cost?: {
    readonly input: number
    readonly output: number
    readonly cache?: { readonly read: number }
  }
  readonly limit: { readonly context: number; readonly output: number }
}

/** A group of the picture, with what else is known about its members. */
export function model(
  group: CombinedPicture.Group,
  own: boolean,
  members: readonly Member[],
  knownOf: (member: Member) => Known | undefined,
): Model {
  return {
    id: group.id,
    name: group.name,
    own,
    members: group.members.map((row, index) => {
      const member = members[index]
      const known = knownOf(member)
      const wish = row.ruledOut ? WISHES[row.ruledOut] : row.pinned ? "pinned" : undefined
      return {
        provider: row.provider.id,
        provider_name: row.provider.name,
        model: row.model.id,
        name: row.model.name,
        terms: termsOf(member.variant as Variant | undefined),
        ...(member.how?.when && { when: member.how.when }),
        price_class: row.price,
        price: {
          input: known?.cost?.input ?? 0,
          output: known?.cost?.output ?? 0,
          cache_read: known?.cost?.cache?.read ?? 0,
        },
        limit: { context: known?.limit.context ?? 0, output: known?.limit.output ?? 0 },
        ...(wish && { wish }),
        ...(row.cooldown && {
          out: {
            class: row.cooldown.kind,
            message: row.cooldown.message,
            until: new Date(row.cooldown.until).toISOString(),
          },
        }),
      }
    }),
  }
}

/** Failover cannot be switched off for the whole machine. */
const WISHES = { skipped: "skipped", "pinned elsewhere": "another is pinned", off: undefined } as const

/** Twin of `describe` in opencode_patcher/models/explain.py. */
function termsOf(variant: Variant | undefined) {
  if (!variant) return []
  return [
    variant.free ? "free" : "",
    variant.quantisation ? `quantised (${variant.quantisation})` : "",
    variant.context ? `context of ${variant.context}` : "",
    variant.region ? `region ${variant.region}` : "",
    variant.host ? `hosting: ${variant.host}` : "",
    variant.confidential ? "confidential" : "",
  ].filter((text) => text)
}

/**
 * How the user is connected to a provider, checked in OpenCode's order. `login` is the kind of the stored login, if
 * any.
 */
export function loginOf(
  provider: { readonly id: string; readonly source: string; readonly env: readonly string[] },
  login: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Pick<Provider, "login" | "variable"> {
  const variable = provider.env.find((name) => environment[name])
  if (login === "oauth") return { login: "oauth" }
  if (login === "api") return { login: "key" }
  if (variable) return { login: "environment", variable }
  if (provider.source === "config") return { login: "configuration" }
  return { login: provider.id === "opencode" ? "free" : "plugin" }
}

/** Logins that OpenCode does not use. */
export function unused(
  logins: Readonly<Record<string, string>>,
  providers: readonly string[],
  config: { readonly disabled_providers?: readonly string[]; readonly enabled_providers?: readonly string[] },
  known: (id: string) => boolean,
) {
  return Object.entries(logins)
    .filter(([id, type]) => type !== "wellknown" && !providers.includes(id) && id !== "combined")
    .map(([id, type]) => ({ id, why: why(id, type) }))

  function why(id: string, type: string) {
    if (config.disabled_providers?.includes(id)) return "disabled_providers names it"
    if (config.enabled_providers && !config.enabled_providers.includes(id)) return "enabled_providers does not name it"
    if (!known(id)) return "OpenCode knows no provider of that name"
    return type === "oauth" ? "OpenCode needs a plugin for this kind of login" : "OpenCode found no model for it"
  }
}

/** The name of the OpenCode command, and the command that logs in to a provider. */
type Ways = { readonly program: string; readonly login: string }

const WAYS: Ways = { program: "opencode", login: "opencode auth login" }

/** The lines to print: the user's own groups first, one line per member. */
export function lines(report: Report, now: number, ways = WAYS): string[] {
  const models = report.models.toSorted((a, b) => Number(b.own) - Number(a.own))
  const width = Math.max(0, ...models.flatMap((item) => item.members.map((row) => keyOf(row).length)))
  const found = models.flatMap((item) => [
    `combined/${item.id}  ${item.name}`,
    ...item.members.map(
      (row, index) =>
        `  ${index + 1}. ${keyOf(row).padEnd(Math.min(width, 44))}  ${[stateOf(row, now), ...about(row)].join(", ")}`,
    ),
  ])
  return [...(found.length ? found : [nothing(report, ways)]), ...after(report, ways)].map(CombinedText.shown)
}

const keyOf = ({ provider, model }: Row) => `${provider}/${model}`

/** In a report no member is serving, because it is not about a session. */
const stateOf = ({ out, wish }: Row, now: number) =>
  CombinedPicture.state(
    {
      standing: "ready",
      next: false,
      pinned: wish === "pinned",
      ...(wish === "skipped" && { ruledOut: wish }),
      ...(wish === "another is pinned" && { ruledOut: "pinned elsewhere" }),
      ...(out && { cooldown: { kind: out.class, until: Date.parse(out.until) } }),
    },
    now,
  )

function about({ price_class: priceClass, price, limit, terms, when }: Row) {
  const hasPrice = priceClass === "metered" && (price.input > 0 || price.output > 0)
  return [
    priceClass,
    ...(hasPrice ? [`$${price.input} in, $${price.output} out`] : []),
    ...(limit.context ? [`${Math.round(limit.context / 1000)}k`] : []),
    ...terms.filter((term) => term !== priceClass),
    ...(when ? [`only after ${when.join(", ")}`] : []),
  ]
}

function nothing({ off, providers }: Report, { login }: Ways) {
  if (off) return `Nothing is combined: ${off}.`
  if (providers.length > 1) return "No two of your providers offer the same model, so nothing is combined."
  return `Nothing is combined: that takes two providers that offer the same model. To log in: ${login}`
}

function after({ unused_logins, unpromised, left_out, mistakes }: Report, { program }: Ways) {
  return [
    ...unused_logins.map(({ id, why }) => `The login to ${id} is not used: ${why}.`),
    ...(unpromised.length ? [`Left out because of combined.require: ${unpromised.join(", ")}.`] : []),
    ...(left_out.length
      ? [`Free offers that are left out, because their terms for your data differ: ${left_out.length}`]
      : []),
    ...(mistakes.length
      ? [`Mistakes in the settings: ${mistakes.length}. To see them: ${program} combined check`]
      : []),
  ]
}

export * as CombinedReport from "./report"
