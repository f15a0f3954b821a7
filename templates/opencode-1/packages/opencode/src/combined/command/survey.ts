/** Gathers what `opencode combined` says about this directory. */
import { Auth } from "@/auth"
import { Config } from "@/config/config"
import { Provider } from "@/provider/provider"
import { CombinedBuild } from "@opencode-ai/core/combined/build"
import { InstallationVersion } from "@opencode-ai/core/installation/version"
import { Effect } from "effect"
import { CombinedOrigin } from "../config/origin"
import type { Group, Offer } from "../identity/grouping"
import { CombinedMistakes } from "../mistakes"
import { CombinedCatalogue } from "../provider/catalogue"
import { CombinedListing } from "../provider/listing"
import { CombinedSettings } from "../settings"
import { CombinedNames } from "../view/names"
import { CombinedOmitted } from "../view/omitted"
import { CombinedReport } from "../view/report"

export const make = Effect.fn("CombinedSurvey.make")(function* (asked: { readonly all: boolean }) {
  const service = yield* Provider.Service
  const providers = yield* service.list()
  const known = CombinedCatalogue.known(service)
  const found = known && (yield* known)
  const config = yield* Config.Service.use((item) => item.get())
  const auth = yield* Auth.Service.use((item) => item.all()).pipe(Effect.orElseSucceed(() => ({})))
  const logins = Object.fromEntries(Object.entries(auth).map(([id, item]) => [id, item.type]))
  const own = Object.values(providers).filter((item) => item.id !== CombinedListing.ID || !found?.catalogue.groups.size)
  const offers = CombinedListing.offers(Object.fromEntries(own.map((item) => [item.id, item])))
  const options = CombinedSettings.read(config)
  const groups = [...(found?.catalogue.groups.values() ?? [])]
  const knownOf = (member: { readonly providerID: string; readonly modelID: string }) =>
    own.find((item) => item.id === member.providerID)?.models[member.modelID]
  const models = (items: readonly Group[]) =>
    (found?.picture(items).models ?? []).map((group, index) =>
      CombinedReport.model(group, Object.hasOwn(options.groups ?? {}, group.id), items[index].members, knownOf),
    )
  const off = offBecause(config, providers, groups.length)
  const report: CombinedReport.Report = {
    format: CombinedReport.FORMAT,
    opencode: InstallationVersion,
    build: CombinedBuild.label,
    directory: process.cwd(),
    now: new Date().toISOString(),
    ...(off && { off }),
    models: models(groups),
    ...(asked.all && { alone: models([...(found?.catalogue.reduced().values() ?? [])]) }),
    providers: own.map((item) => ({
      id: item.id,
      name: item.name,
      ...CombinedReport.loginOf(item, logins[item.id], process.env),
      models: Object.keys(item.models).length,
    })),
    unused_logins: CombinedReport.unused(
      logins,
      own.map((item) => item.id),
      config,
      (id) => !found || Object.hasOwn(found.listed, id),
    ),
    left_out: off ? [] : CombinedOmitted.leftOut(offers, options, groups),
    unpromised: CombinedOmitted.unpromised(offers, options),
    mistakes: [...unknown(), ...named(found ? mistakes(found, offers, config) : [])],
    settings: settings(config),
    sources: CombinedOrigin.all().map(([source]) => source),
    plugins: (config.plugin ?? []).map((item) => (Array.isArray(item) ? item[0] : item)),
  }
  return report
})

function offBecause(config: CombinedListing.Info, providers: CombinedListing.Providers, groups: number) {
  if (config.disabled_providers?.includes(CombinedListing.ID)) return `disabled_providers names ${CombinedListing.ID}`
  if (!groups && providers[CombinedListing.ID]) return `a provider of your own is called ${CombinedListing.ID}`
  return undefined
}

const unknown = () =>
  CombinedOrigin.all().flatMap(([source, parsed]) =>
    typeof parsed === "object" && parsed !== null
      ? CombinedMistakes.unknown(parsed).map((text) => ({ source, text }))
      : [],
  )

/** The mistakes to report. A provider that the user does not have may just not be connected. */
function mistakes(
  { catalogue, listed, mistakes }: CombinedCatalogue.Known,
  offers: readonly Offer[],
  config: CombinedListing.Info,
) {
  const names = CombinedNames.names(config, {
    listed: [...CombinedListing.offers(listed), ...offers],
    ids: new Set(catalogue.groups.keys()),
    alone: () => new Map([...catalogue.reduced()].map(([id, item]) => [id, item.members[0].providerID])),
  })
  const known = mistakes.map((item) => {
    const id = /^provider_priority: no provider ([^.]+)\./.exec(item.text)?.[1]
    return id !== undefined && Object.hasOwn(listed, id)
      ? { ...item, text: `provider_priority: ${id} is not connected, so it is never used.` }
      : item
  })
  return [...known, ...names]
}

const named = (mistakes: readonly CombinedMistakes.Mistake[]) =>
  mistakes.map((item) => {
    const source = CombinedOrigin.of(item.path, item.value)
    return { ...(source && { source }), text: item.text }
  })

function settings(config: CombinedListing.Info) {
  const combined: Readonly<Record<string, unknown>> = config.combined ?? {}
  const paths = [
    ["model"],
    ["small_model"],
    ["provider_priority"],
    ...Object.keys(combined).map((key) => ["combined", key]),
  ]
  return paths.flatMap((path) => {
    const value = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], config)
    if (value === undefined) return []
    const source = CombinedOrigin.of(path, value)
    const isModel = path[0] === "model" || path[0] === "small_model"
    return [{ key: path.join("."), ...(source && { source }), ...(isModel && typeof value === "string" && { value }) }]
  })
}

export * as CombinedSurvey from "./survey"
