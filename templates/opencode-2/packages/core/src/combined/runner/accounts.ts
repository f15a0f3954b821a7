/** Several accounts of one provider: adds an entry for each of them to the catalogue of providers. */
import { Effect, Option } from "effect"
import { Config } from "../../config"
import { ModelsDev } from "../../models-dev"
import { CombinedFurtherAccounts } from "../further-accounts"
import type { CombinedSettings } from "../settings"
import { CombinedRunnerSettings } from "./settings"
import { ProviderV2 } from "./upstream/models"

type Snapshots = readonly ModelsDev.Snapshot[]

/** Upstream's catalogue of providers, with the accounts. */
export const catalogue = Effect.gen(function* () {
  const modelsDev = yield* ModelsDev.Service
  // Without a configuration there are no accounts.
  const config = Option.getOrUndefined(yield* Effect.serviceOption(Config.Service))
  if (!config) return modelsDev
  const last: { known?: Snapshots; accounts?: string; all?: Snapshots } = {}
  const get = Effect.fnUntraced(function* () {
    const known = yield* modelsDev.get()
    const settings = yield* CombinedRunnerSettings.read(config)
    const accounts = JSON.stringify(settings.combined?.accounts)
    // Upstream compares catalogues by identity: the same content must stay the same object.
    if (!last.all || last.known !== known || last.accounts !== accounts)
      Object.assign(last, { known, accounts, all: added(known, settings) })
    return last.all ?? known
  })
  return { ...modelsDev, get }
})

/** An account has the models and prices of its provider, and a key of its own. */
export function added(known: Snapshots, settings: CombinedSettings.Info): Snapshots {
  const byID = new Map<string, ModelsDev.Snapshot>(known.map((item) => [item.info.id, item]))
  const accounts = CombinedFurtherAccounts.wanted(settings, (id) => byID.has(id))
  const made = accounts.flatMap(({ id, of }) => {
    const found = byID.get(of)
    return found ? [renamed(found, id)] : []
  })
  return made.length ? [...known, ...made] : known
}

function renamed({ info, models }: ModelsDev.Snapshot, id: string): ModelsDev.Snapshot {
  const providerID = ProviderV2.ID.make(id)
  return {
    info: { ...info, id: providerID, name: CombinedFurtherAccounts.nameOf(info.name, id) },
    models: models.map((model) => ({ ...model, providerID })),
    environment: [CombinedFurtherAccounts.variable(id)],
  }
}

export * as CombinedRunnerAccounts from "./accounts"
