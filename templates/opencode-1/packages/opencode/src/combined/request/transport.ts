/**
 * Parts of a response that the SDK does not read: a body that is not a stream although the status is 200 (an error as
 * JSON, a proxy's page), and the exception frames in Amazon's event streams.
 */
import { CombinedFailure } from "../failure/classify"
import { CombinedExceptions } from "../failure/exceptions"
import { CombinedRedact } from "../failure/redact"
import { CombinedWindow, type Window } from "../health/window"
import { parsed } from "../value"
import type { Fetch } from "./gate"

type Listener = {
  /** Called with an error that the SDK will not report. */
  readonly tell: (event: unknown) => void
  /** Called for each request, with a function that returns the request's secrets. */
  readonly asks?: (secrets: () => readonly string[]) => void
  /** Returns secrets that a plugin's own fetch may add after this one. */
  readonly known?: () => readonly string[]
  /** Called with what an answer says about the plan, if it says anything. */
  readonly sees?: (windows: readonly Window[]) => void
  /** Called when the request is sent, and whenever anything arrives: headers, events, comments. */
  readonly hears?: () => void
}

/** A body that is not a stream; its content is read like any other provider error. */
export class NoStream extends Error {
  override readonly name = "CombinedNoStream"
  constructor(readonly responseBody: string) {
    super(CombinedFailure.said(responseBody) ?? "The provider did not answer with a stream")
  }
}

/** How much of a body is read to find out why it is not a stream. */
const LONGEST = 100_000

export function watched(fetch: Fetch, { tell, asks, known, sees, hears }: Listener): Fetch {
  return async (...input) => {
    const secrets = () => [...sent(...input), ...(known?.() ?? [])]
    asks?.(secrets)
    hears?.()
    const response = heard(await fetch(...input), hears)
    const windows = CombinedWindow.read(response.headers, Date.now())
    if (windows.length) sees?.(windows)
    if (!response.ok) return silenced(response, secrets(), sees)
    if (!response.body) return response
    const type = response.headers.get("content-type") ?? ""
    if (CombinedExceptions.mayBeIn(type)) return renewed(response, read(response.body, CombinedExceptions.reader(tell)))
    return WHOLE.test(type) ? streaming(response, response.body, secrets) : response
  }
}

/** SDKs drop comments and events that they do not know. So signs of life are noticed before the SDK reads. */
function heard(response: Response, hears: Listener["hears"]) {
  if (!hears) return response
  hears()
  if (!response.body) return response
  return renewed(response, read(response.body, hears))
}

/** The same body, whose chunks are also passed to `reader`. */
function read(body: ReadableStream<Uint8Array>, reader: (chunk: Uint8Array) => void) {
  const passed = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      reader(chunk)
      controller.enqueue(chunk)
    },
  })
  return body.pipeThrough(passed)
}

function sent(...[input, init]: Parameters<Fetch>) {
  const request = input instanceof Request ? input : undefined
  const headers = new Headers(init?.headers ?? request?.headers)
  const url = input instanceof URL ? input.href : input instanceof Request ? input.url : input
  return CombinedRedact.sent(url, headers.entries())
}

/**
 * Error responses often repeat the request's key. The response is stored with the message, in upstream's database and
 * logs, so the key is removed here, before anything else reads it. Only as much of a body is read as is needed to find
 * the cause.
 */
async function silenced(response: Response, secrets: readonly string[], sees: Listener["sees"]) {
  const headers = new Headers()
  for (const [name, value] of response.headers)
    if (!LENGTHS.has(name)) headers.append(name, CombinedRedact.redact(value, secrets))
  const reader = response.body?.getReader()
  const body = reader ? CombinedRedact.redact(await text(reader, ""), secrets) : null
  const windows = CombinedWindow.inBody(parsed(body ?? ""), Date.now())
  if (windows.length) sees?.(windows)
  const allowed = EMPTY.has(response.status) ? null : body
  return new Response(allowed, { status: response.status, statusText: response.statusText, headers })
}

/** These headers describe the original body. */
const LENGTHS = new Set(["content-length", "content-encoding"])

/** Statuses that do not allow a body. */
const EMPTY = new Set([204, 205, 304])

/** Content types of answers in one piece. */
const WHOLE = /^(?:application\/(?:problem\+)?json|text\/(?:html|plain))\b/i

/** Some servers stream with another content type. The start of the body shows whether it is a stream. */
async function streaming(response: Response, body: ReadableStream<Uint8Array>, secrets: () => readonly string[]) {
  const reader = body.getReader()
  const first = await reader.read()
  const head = first.value ? new TextDecoder().decode(first.value).trimStart() : ""
  if (!/^[{[<]/.test(head)) return renewed(response, resumed(reader, first.value))
  throw new NoStream(CombinedRedact.redact(await text(reader, head), secrets()))
}

async function text(reader: ReadableStreamDefaultReader<Uint8Array>, head: string): Promise<string> {
  const decoder = new TextDecoder()
  const pieces = [head]
  for (let size = head.length; size < LONGEST; ) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(decoder.decode(value, { stream: true }))
    size += value.length
  }
  await reader.cancel().catch(() => {})
  return pieces.join("")
}

/** The whole body again, after its first piece has been read. */
function resumed(reader: ReadableStreamDefaultReader<Uint8Array>, first: Uint8Array | undefined) {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (first) controller.enqueue(first)
    },
    async pull(controller) {
      const { done, value } = await reader.read()
      if (done) return controller.close()
      controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

function renewed(response: Response, body: ReadableStream<Uint8Array>) {
  return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers })
}

export * as CombinedTransport from "./transport"
