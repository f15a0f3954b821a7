/** Several accounts of one provider: each is a provider of its own, with the models and the handling of the first one. */
import type { Info } from "../settings"

/** The providers by their ids, with the accounts added. An existing id is never replaced. */
export function accounts<Entry>(known: Record<string, Entry>, config: Info): Record<string, Entry> {
  const found = Object.entries(config.combined?.accounts ?? {}).flatMap(([id, of]): [string, Entry][] => {
    const entry = Object.hasOwn(known, of) && !Object.hasOwn(known, id) ? known[of] : undefined
    return entry === undefined ? [] : [[id, renamed(entry, id)]]
  })
  return found.length ? { ...known, ...Object.fromEntries(found) } : known
}

/** A provider from the catalogue gets the id, a name that includes it, and its own variable for the key. A function is left as it is. */
function renamed<Entry>(entry: Entry, id: string): Entry {
  if (typeof entry !== "object" || entry === null || !("name" in entry)) return entry
  return { ...entry, id, name: `${String(entry.name)} (${id})`, env: [variable(id)] }
}

/** `OPENAI_WORK_API_KEY` for openai-work. */
function variable(id: string) {
  return `${id.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}_API_KEY`
}
