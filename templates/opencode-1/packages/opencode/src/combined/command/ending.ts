/** The health of all members, read and ended without starting anything else of OpenCode. */
import { CombinedAccounts } from "../health/accounts"
import { CombinedCooldown } from "../health/cooldown"
import { CombinedHealthStore } from "../health/store"
import { CombinedHealthFile } from "../host/health-file"
import { CombinedKnown } from "../view/known"

const open = () =>
  CombinedHealthStore.open(CombinedHealthFile.shelf(CombinedHealthFile.FILE), (state) =>
    CombinedCooldown.current(state, Date.now(), () => undefined),
  )

export function health() {
  const store = open()
  return CombinedKnown.health(store.read(), CombinedAccounts.current(store.accounts(), Date.now()), Date.now())
}

/** Ends the cooldowns of a provider, of `provider/model`, or all of them. Returns whose have ended. */
export function clear(name: string | undefined) {
  const now = Date.now()
  const store = open()
  const keys = CombinedKnown.meant(store.read(), name, now)
  // A record of a success, not its absence: processes write again what they know and the file lacks.
  store.update((state) => keys.reduce((found, key) => CombinedCooldown.succeed(found, ...parts(key), now), state))
  return keys.map(CombinedKnown.nameOf)
}

/** `succeed` takes the provider's own key along. */
function parts(key: string): [string, string] {
  const at = key.indexOf("/")
  return [key.slice(0, at), key.slice(at + 1)]
}

export * as CombinedEnding from "./ending"
