/** Reads the health of all members and ends cooldowns, without starting anything else of OpenCode. */
import { CombinedAccounts } from "../health/accounts"
import { CombinedCooldown } from "../health/cooldown"
import { CombinedHealthStore } from "../health/store"
import { CombinedHealthFile } from "./health-file"
import { CombinedMember } from "../member"
import { CombinedKnown } from "../view/known"

const open = () =>
  CombinedHealthStore.open(CombinedHealthFile.shelf(CombinedHealthFile.FILE), (state) =>
    CombinedCooldown.current(state, Date.now(), () => undefined),
  )

export function health() {
  const store = open()
  return CombinedKnown.health(store.read(), CombinedAccounts.current(store.accounts(), Date.now()), Date.now())
}

/**
 * Ends the cooldowns of a provider, of one `provider/model`, or all of them. Returns the members whose cooldown ended.
 */
export function clear(name: string | undefined) {
  const now = Date.now()
  const store = open()
  const keys = CombinedKnown.meant(store.read(), name, now)
  store.update((state) => CombinedCooldown.forget(state, keys.map(CombinedMember.named), now))
  return keys.map(CombinedKnown.nameOf)
}

export * as CombinedEnding from "./ending"
