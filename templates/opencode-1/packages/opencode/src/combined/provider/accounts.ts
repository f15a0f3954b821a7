/** Several accounts of one provider, each handled like the original one (combined/further-accounts.ts). */
import { CombinedFurtherAccounts } from "../further-accounts"
import type { Info } from "../settings"

/** The providers by their ids, with the accounts added. An existing id is never replaced. */
export function accounts<Entry>(known: Record<string, Entry>, config: Info): Record<string, Entry> {
  const found = CombinedFurtherAccounts.wanted(config, (id) => Object.hasOwn(known, id))
  if (!found.length) return known
  return { ...known, ...Object.fromEntries(found.map(({ id, of }) => [id, renamed(known[of], id)])) }
}

/**
 * Gives a provider from the catalogue the account's id, a name that includes the id, and a variable of its own for the
 * key. Entries of other kinds, such as functions, are left as they are.
 */
function renamed<Entry>(entry: Entry, id: string): Entry {
  if (typeof entry !== "object" || entry === null || !("name" in entry)) return entry
  const { nameOf, variable } = CombinedFurtherAccounts
  return { ...entry, id, name: nameOf(String(entry.name), id), env: [variable(id)] }
}
