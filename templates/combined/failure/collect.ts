/**
 * Collects what an error says about itself, whether an SDK, bun or the operating system raised it, or a provider wrote
 * it into a body or an event. The result has a limited size for any input. Pure.
 */
import { isObject } from "../value"

export type Seen = {
  status?: number
  /** What identifies the error: codes, types, names and reasons, in lower case. */
  readonly codes: Set<string>
  /** The codes as words: both "ModelNotFound" and "model_not_found" become "model not found". */
  readonly spelled: Set<string>
  /** Sentences; a vendor's own come before those around it. */
  readonly texts: string[]
  headers: Record<string, string>
  /** The answer was a web page, so it comes from a proxy, which knows nothing of the account. */
  page: boolean
}

/**
 * How deep to look. An AI SDK error wraps the real one in `cause`, `lastError` or `error`, and bodies are nested too.
 */
const DEPTH = 12

/** Only the start and the end of a longer text are read. A longer body is not parsed. */
const LONGEST = { text: 8000, end: 2000, body: 1_000_000 }

const MOST = { texts: 100, values: 2000, codes: 200 }

// The names of fields below are in lower case, without underscores and hyphens, because vendors write them in every
// way.

const STATUSES = ["statuscode", "status", "code", "httpstatus", "httpstatuscode", "rawstatuscode"]

/** Fields that identify an error. OpenAI, Google, Anthropic, AWS, Alibaba, Z.ai and MiniMax each have their own. */
const CODES = ["code", "type", "name", "status", "reason", "errorcode", "quotaid", "domain"]

const SENTENCES = [
  "message",
  "msg",
  "statusmsg",
  "statusmessage",
  "errormsg",
  "errormessage",
  "errmsg",
  "errordescription",
  "faultstring",
  "detail",
  "details",
  "title",
  "description",
  "body",
  "raw",
  "lastupstreamerror",
]

/** Fields that may contain another error. Anything else may be the user's own words, and is ignored. */
const INSIDE = [
  "lasterror",
  "cause",
  "error",
  "errors",
  "fault",
  "exception",
  "data",
  "header",
  "response",
  "responsebody",
  "metadata",
  "violations",
  "baseresp",
  "innererror",
  "debug",
  "value",
  ...SENTENCES,
]

/** Fields that say when a limit ends: numbers, durations and dates. */
const TIME =
  /^(?:next|quota|limit|window|usage)?(?:resets?(?:at|in|on|after|time|timestamp|date|delay|seconds|ms|afterseconds|inseconds)|retry(?:after|in|at|delay)(?:seconds|secs|ms)?|(?:cooldown|wait)(?:seconds|secs|ms)|(?:next)?availableat|estimatedtime)$/

const KEY = /^[A-Za-z_-]{1,40}$/

export function collect(error: unknown): Seen {
  const seen: Seen = { codes: new Set(), spelled: new Set(), texts: [], headers: {}, page: false }
  const visited = new Set<unknown>()
  const add = (code: string) => {
    if (seen.codes.size >= MOST.codes) return
    seen.codes.add(code.slice(0, 200).toLowerCase())
    const words = spelled(code)
    if (words) seen.spelled.add(words)
  }
  const say = (text: string) => seen.texts.length < MOST.texts && seen.texts.push(text)

  const title = (page: string) => {
    const found = /<title[^>]{0,100}>([^<]{1,300})/i.exec(page) ?? /<h1[^>]{0,100}>([^<]{1,300})/i.exec(page)
    if (found) say(found[1].trim())
  }

  const read = (text: string, depth: number): void => {
    if (!text.trim()) return
    const value = parsed(text)
    if (value !== undefined) return visit(value, depth - 1)
    const inside = quoted(text)
    if (inside !== undefined) return visit(inside, depth - 1)
    if (/^\s*<(?:!doctype|html|head|body)/i.test(text)) {
      seen.page = true
      title(text)
      say(bounded(text))
      return
    }
    // The gateway's own words come before the page of the server behind it.
    if (PAGE.test(text)) title(text)
    // Read a body inside the gateway's own words, or a stream that was treated as a body.
    for (const inner of embedded(text)) visit(inner, depth - 1)
    const loose = unquoted(text)
    loose.codes.forEach(add)
    loose.texts.forEach(say)
    // Z.ai, speaking Anthropic's protocol, writes a code in brackets before the sentence: "[1308][…]".
    const code = /^\[(\d{3,5})\]/.exec(text)?.[1]
    if (code) add(code)
    say(bounded(text).replaceAll("’", "'"))
  }

  const visit = (value: unknown, depth: number): void => {
    if (depth === 0 || visited.has(value) || visited.size >= MOST.values) return
    if (typeof value === "string") return read(value, depth)
    if (typeof value !== "object" || value === null) return
    visited.add(value)
    if (Array.isArray(value)) return value.slice(0, MOST.values).forEach((item) => visit(item, depth))
    const item = value as Record<string, unknown>
    const fields = fieldsOf(item)
    seen.status ??= statusOf(fields)
    for (const key of CODES) {
      const code = fields.get(key)
      if (typeof code === "string" && code) add(code)
      if (typeof code === "number") add(String(code))
    }
    // MiniMax has its own error numbers, which mean other things elsewhere.
    const base = fields.get("baseresp")
    const minimax = isObject(base) ? base.status_code : undefined
    if (minimax && (typeof minimax === "number" || typeof minimax === "string")) add(`base_resp:${minimax}`)
    for (const [key, time] of Object.entries(item)) {
      if (!TIME.test(plain(key))) continue
      if (typeof time === "number" || (typeof time === "string" && time.length < 60)) say(`"${key}":"${time}"`)
    }
    for (const headers of [fields.get("responseheaders"), fields.get("headers")])
      if (isObject(headers)) seen.headers = { ...textual(headers), ...seen.headers }
    // AWS names the error in a header, or in the key that contains it.
    const kind = seen.headers["x-amzn-errortype"]?.split(":")[0]
    if (kind) add(kind)
    const named = Object.keys(item).filter((key) => key.endsWith("Exception") && item[key])
    named.forEach(add)
    // After retries, only the last attempt counts.
    const last = fields.get("lasterror") ?? undefined
    if (last !== undefined) return visit(last, depth - 1)
    for (const key of INSIDE) visit(fields.get(key), depth - 1)
    for (const key of named) visit(item[key], depth - 1)
  }

  visit(error, DEPTH)
  return seen
}

/** In an error event inside a stream, the code may be the HTTP status, even as text (OpenRouter, Google, LiteLLM). */
function statusOf(fields: ReadonlyMap<string, unknown>) {
  const found = STATUSES.map((key) => fields.get(key)).map((value) =>
    typeof value === "string" && /^[345]\d\d$/.test(value) ? Number(value) : value,
  )
  return found.find((value): value is number => typeof value === "number" && value >= 300 && value < 600)
}

/** A field's name in the form used above; "" if no vendor uses such a name. */
const plain = (key: string) => (KEY.test(key) ? key.replace(/[_-]/g, "").toLowerCase() : "")

const READ = new Set([...STATUSES, ...CODES, ...INSIDE, "responseheaders", "headers"])

/** The fields that are read, including those that an error inherits from its class. */
function fieldsOf(item: object): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>()
  for (let at: object | null = item; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const key of Object.getOwnPropertyNames(at)) {
      const name = plain(key)
      if (READ.has(name) && !found.has(name)) found.set(name, Reflect.get(item, key))
    }
  return found
}

/** A code as words; "" if it is not a code, or just one word. */
function spelled(code: string) {
  if (!/^[A-Za-z0-9_.:/-]{4,100}$/.test(code)) return ""
  const words = code
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_.:/ -]+/g, " ")
    .trim()
    .toLowerCase()
  return words.includes(" ") ? words : ""
}

function parsed(text: string): unknown {
  if (text.length > LONGEST.body || !/^\s*[[{]/.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** A body that is just a string. */
function quoted(text: string): string | undefined {
  if (text.length > LONGEST.body || !/^\s*"/.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "string" ? value : undefined
  } catch {
    return undefined
  }
}

/** JSON inside a text: after a gateway's words, or in the lines of a stream. */
function embedded(text: string): unknown[] {
  if (text.length > LONGEST.body) return []
  const lines = [...text.matchAll(/^data: ?(\{.*)$/gm)].slice(0, 20).flatMap((line) => parsed(line[1]) ?? [])
  if (lines.length) return lines
  const from = text.search(/\{\s*"/)
  const found = from > 0 ? parsed(text.slice(from, text.lastIndexOf("}") + 1)) : undefined
  return found === undefined ? [] : [found]
}

const QUOTED = "(?:\"((?:[^\"\\\\]|\\\\.){1,500})\"|'((?:[^'\\\\]|\\\\.){1,500})')"
const AFTER_KEY = "[\"']?\\s{0,4}[:=]\\s{0,4}(?:Optional\\()?"
const LOOSE_TEXT = new RegExp(`(?<![A-Za-z])["']?(?:grpc_)?(?:message|msg|detail|error_msg)${AFTER_KEY}${QUOTED}`, "g")
const LOOSE_CODE = new RegExp(`(?<![A-Za-z])["']?(?:code|type|status|reason)${AFTER_KEY}["']([\\w.-]{1,80})["']`, "g")

/** Where data begins: in JSON, in Python, and as Rust, Go and Swift print it. */
const LOOSE = /[{[(]\s*(?:["']|[A-Za-z_]{1,40}: ?["'])|[ ,][A-Za-z_]{1,40}:\s?["']/

/** Text that looks like data but cannot be parsed: printed by another language, or cut off. */
function unquoted(whole: string) {
  const text = bounded(whole)
  if (!LOOSE.test(text) || embedded(text).length) return { codes: [], texts: [] }
  return {
    codes: [...text.matchAll(LOOSE_CODE)].slice(0, 20).map((found) => found[1]),
    texts: [...text.matchAll(LOOSE_TEXT)]
      .slice(0, 20)
      .map((found) => (found[1] ?? found[2]).replace(/\\n/g, " ").replace(/\\(.)/g, "$1")),
  }
}

function bounded(text: string) {
  if (text.length <= LONGEST.text) return text
  return `${text.slice(0, LONGEST.text - LONGEST.end)} … ${text.slice(-LONGEST.end)}`
}

function textual(headers: Record<string, unknown>) {
  const found = Object.entries(headers).slice(0, MOST.texts)
  return Object.fromEntries(
    found.flatMap(([name, value]) => (typeof value === "string" ? [[name.toLowerCase(), value.slice(0, 1000)]] : [])),
  )
}

/** What bun adds to the message of a failed fetch, for developers. */
const BUN_HINT = /\.? For more information, pass `verbose: true` in the second argument to fetch\(\)/

const PAGE = /<(?:!doctype|!DOCTYPE|html|HTML)[ >]/

const LOOKS_LIKE_DATA = /^\s*(?:[[{]|<[!?a-z]|data:|event:)/i

/** Control characters, invisible characters, and characters that change the direction of a line. */
const UNSEEN = /[\0-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu

/** The vendor's sentence that says what is wrong; undefined if there is none. */
export function sentence(seen: Seen): string | undefined {
  const found = seen.texts
    .filter((item) => !/^"\w+":/.test(item))
    .map(withoutData)
    .filter((item) => item)
  const [first, ...more] = found
  // SDKs that cannot read a body put the reason phrase of the status line first.
  const best = first !== undefined && !isSentence(first) ? (more.find(isSentence) ?? first) : first
  if (best === undefined && seen.page) return "A web page came instead of an answer"
  return best ?? [...seen.codes].find((code) => !code.startsWith("ai_"))
}

const isSentence = (text: string) => /\s|[^\0-\x7f]/.test(text.trim())

/** A text without the data inside it. */
function withoutData(text: string) {
  if (LOOKS_LIKE_DATA.test(text) && !/^\[\d+\]/.test(text)) return ""
  const from = text.search(/\{\s*(?:["']|[A-Za-z_]{1,40}: ?["'])|<(?:!doctype|!DOCTYPE|html|HTML)[ >]/)
  const words = from < 0 ? text : text.slice(0, from).replace(/[\s:,;([-]+$/, "")
  return clean(words)
}

function clean(text: string) {
  return text.replace(/\s+/g, " ").replace(UNSEEN, "").replace(BUN_HINT, "").trim()
}

export * as CombinedCollect from "./collect"
