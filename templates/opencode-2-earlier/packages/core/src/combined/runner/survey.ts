/** Gathers what `opencode2 combined` says about a directory. */
import { Effect } from "effect"
import { Config } from "../../config"
import { Credential } from "../../credential"
import { InstallationVersion } from "../../installation/version"
import { Integration } from "../../integration"
import { Location } from "../../location"
import { CombinedBuild } from "../build"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { CombinedSources } from "../sources"
import { isObject } from "../value"
import { CombinedOmitted } from "../view/omitted"
import { CombinedReport } from "../view/report"
import { CombinedRunnerCatalogue, type Found, type State } from "./catalogue"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerPicture } from "./picture"
import type { Catalog } from "./upstream/catalog"
import type { ProviderV2 } from "./upstream/models"

export const make = Effect.fn("CombinedRunnerSurvey.make")(function* (
  catalog: Catalog,
  asked: { readonly all: boolean },
) {
  const state = yield* CombinedRunnerCatalogue.state(catalog)
  if (!state) return yield* Effect.die(new Error("The catalogue has no combined models"))
  const { read, models, listed, mistakes, sources, single } = state
  const { directory } = yield* Location.Service
  const entries = yield* Config.Service.use((config) => config.entries())
  const credentials = yield* Credential.Service.use((service) => service.all())
  const providers = state.providers.filter((item) => item.id !== CombinedRunnerListing.ID)
  const options = CombinedSettings.read(read)
  const offers = CombinedRunnerListing.offers(models)
  const reported = (groups: readonly Found[]) =>
    Effect.map(CombinedRunnerPicture.of(catalog, groups, CombinedRunnerPicture.NO_SESSION), (picture) =>
      picture.models.map((group, index) => {
        const { members } = groups[index]
        const modelOf = (member: CombinedMember.Name) =>
          members.find((item) => CombinedMember.same(item, member))?.model
        return CombinedReport.model(group, Object.hasOwn(options.groups ?? {}, group.id), members, (member) =>
          knownOf(modelOf(member)),
        )
      }),
    )
  const groups = yield* CombinedRunnerCatalogue.groups(catalog)
  const isTaken = models.some((model) => model.providerID === CombinedRunnerListing.ID)
  const report: CombinedReport.Report = {
    format: CombinedReport.FORMAT,
    opencode: InstallationVersion,
    build: CombinedBuild.label,
    directory,
    now: new Date().toISOString(),
    ...(isTaken && { off: `a provider of your own is called ${CombinedRunnerListing.ID}` }),
    models: yield* reported(groups),
    ...(asked.all && { alone: yield* reported(yield* single) }),
    providers: yield* Effect.forEach(providers, (item) =>
      Effect.map(loginOf(item, credentials), (login) => ({
        id: item.id,
        name: item.name,
        ...login,
        models: models.filter((model) => model.providerID === item.id).length,
      })),
    ),
    unused_logins: CombinedReport.unused(
      Object.fromEntries(credentials.map((item) => [item.integrationID, item.value.type])),
      providers.flatMap((item) => [item.id, item.integrationID ?? item.id]),
      {},
      (id) => listed.some((item) => item.id === id || item.integrationID === id),
    ),
    left_out: isTaken ? [] : CombinedOmitted.leftOut(offers, options, groups),
    unpromised: CombinedOmitted.unpromised(offers, options),
    mistakes,
    settings: settings(sources),
    sources: sources.map(({ file }) => file),
    plugins: entries.flatMap((entry) =>
      entry.type === "document"
        ? (entry.info.plugins ?? []).map((item) => (typeof item === "string" ? item : item.package))
        : [],
    ),
  }
  return report
})

function knownOf(model: CombinedRunnerListing.Member["model"] | undefined): CombinedReport.Known | undefined {
  const base = model?.cost.find((rates) => rates.tier === undefined)
  return model && { limit: model.limit, ...(base && { cost: base }) }
}

/** How the user is connected to a provider. */
const loginOf = Effect.fnUntraced(function* (
  { id, integrationID, settings }: ProviderV2.Info,
  credentials: readonly Credential.Info[],
) {
  const integrations = yield* Integration.Service
  const connection = yield* integrations.connection.active(integrationID ?? Integration.ID.make(id))
  const stored =
    connection?.type === "credential" ? credentials.find((item) => item.id === connection.id)?.value.type : undefined
  return CombinedReport.loginOf(
    {
      id,
      source: settings?.apiKey === undefined ? "plugin" : "config",
      env: connection?.type === "env" ? [connection.name] : [],
    },
    stored === "key" ? "api" : stored,
    process.env,
  )
})

/** Which file each of our settings comes from. */
function settings(sources: State["sources"]) {
  const texts = sources.map(({ file, text }) => [file, text] as const)
  const last = (path: readonly string[]) =>
    texts
      .map(([, text]) => path.reduce((inner: unknown, key) => (isObject(inner) ? inner[key] : undefined), text))
      .findLast((value) => value !== undefined)
  const combined = texts.flatMap(([, text]) =>
    isObject(text) && isObject(text.combined) ? Object.keys(text.combined) : [],
  )
  const paths = [["model"], ["provider_priority"], ...[...new Set(combined)].map((key) => ["combined", key])]
  return paths.flatMap((path) => {
    const value = last(path)
    if (value === undefined) return []
    const source = CombinedSources.find(texts, path, value)
    return [
      {
        key: path.join("."),
        ...(source && { source }),
        ...(path[0] === "model" && typeof value === "string" && { value }),
      },
    ]
  })
}

export * as CombinedRunnerSurvey from "./survey"
