/**
 * Call ids in a form that the reader accepts. Each provider makes its own, and some refuse those of others because they
 * are too long or have invalid characters. Pure: maps the ids of a history to ids for one reader.
 */

export type Form = {
  readonly longest: number
  readonly characters: RegExp
  /** The only accepted length. */
  readonly exactly?: number
}

/** All providers accept ids of eight to forty letters and digits, except Mistral, whose own have nine. */
const SHORT: Form = { longest: 9, exactly: 9, characters: /^[a-zA-Z0-9]+$/ }

type Reader = { readonly npm: string; readonly id: string; readonly providerID: string }

/**
 * The first match decides. Moonshot's ids ("functions.bash:0") mean something to its models, so a chat server keeps
 * them.
 *
 * Sources: Anthropic and Bedrock refuse other characters (ToolUseBlock: `[a-zA-Z0-9_-]+`, 1 to 64). OpenAI's Responses
 * refuse more than 64 characters, its chat completions (and Azure's) more than 40. Mistral wants "a-z, A-Z, 0-9, with a
 * length of 9".
 */
const FORMS: readonly { readonly when: (reader: Reader) => boolean; readonly form: Form }[] = [
  {
    when: (reader) =>
      reader.npm === "@ai-sdk/mistral" ||
      /(?:mis|minis|magis|devs|codes)tral|pixtral/i.test(`${reader.providerID} ${reader.id}`),
    form: SHORT,
  },
  {
    when: ({ npm }) =>
      ["@ai-sdk/anthropic", "@ai-sdk/google-vertex/anthropic", "@ai-sdk/openai"].includes(npm) ||
      npm.startsWith("@ai-sdk/amazon-bedrock"),
    form: { longest: 64, characters: /^[a-zA-Z0-9_-]+$/ },
  },
  { when: ({ id }) => /claude/i.test(id), form: { longest: 40, characters: /^[a-zA-Z0-9_-]+$/ } },
  { when: () => true, form: { longest: 40, characters: /^[a-zA-Z0-9_.:-]+$/ } },
]

export function formFor(reader: Reader): Form {
  // The last one matches every reader.
  return FORMS.find((item) => item.when(reader))?.form ?? SHORT
}

/** The form that all providers accept, for a reader that has refused another one. */
export const STRICTEST = SHORT

/**
 * Assigns names to the ids of one history, in the order in which it is read. The same history gets the same names in
 * each request, which prompt caches need. A call with the id of an earlier one gets a new name; the results of such
 * calls are in the order in which the calls were made.
 */
export function namer(form: Form, ids: readonly string[]) {
  const fits = (id: string) =>
    form.characters.test(id) && id.length <= form.longest && (form.exactly === undefined || id.length === form.exactly)
  const reserved = new Set(ids.filter(fits))
  const given = new Set<string>()
  const open = new Map<string, string[]>()
  const latest = new Map<string, string>()

  const make = (id: string, turn = 0): string => {
    const name = digest(`${id}#${turn}`)
    return given.has(name) || reserved.has(name) ? make(id, turn + 1) : name
  }

  return {
    call: (id: string) => {
      const name = fits(id) && !given.has(id) ? id : make(id)
      given.add(name)
      open.set(id, [...(open.get(id) ?? []), name])
      return name
    },
    result: (id: string) => {
      // A call without an assigned name was compacted away; its result keeps its id.
      const name = open.get(id)?.shift() ?? latest.get(id) ?? (fits(id) ? id : make(id))
      latest.set(id, name)
      return name
    },
  }
}

/** Nine letters and digits: 46 bits of a 64-bit FNV-1a hash. */
function digest(text: string) {
  const hash = [...new TextEncoder().encode(text)].reduce(
    (sum, byte) => BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n),
    0xcbf29ce484222325n,
  )
  return hash.toString(36).padStart(SHORT.longest, "0").slice(-SHORT.longest)
}

export * as CombinedCallIds from "./call-ids"
