/** What the hooks in packages/opencode/src/cli/cmd/run.ts call: what `opencode run` prints, and when. */
import { CombinedSteer } from "../choice/steer"
import { CombinedWaits } from "../host/waits"
import { CombinedHappening } from "../view/happening"

export { announced, changed } from "../turn/notice"

/** What `--format json` prints for a part about what happened. */
export function happened(part: { readonly type: string; readonly error?: unknown }) {
  return { ...CombinedHappening.of(part) }
}

type Posting = (options: {
  readonly url: string
  readonly body: unknown
  readonly headers: Record<string, string>
}) => Promise<{ readonly error?: { readonly data?: { readonly message?: string } } }>

type Option = { readonly type: "string" | "boolean"; readonly array?: boolean; readonly describe: string }

/** Adds the options that steer a session. Upstream's own code does not have to know them. */
export function options<Y extends { option: (name: string, option: Option) => unknown }>(yargs: Y): Y {
  const { pin, skip, failover } = CombinedSteer.OPTIONS
  yargs.option("pin", { type: "string", describe: pin })
  yargs.option("skip", { type: "string", array: true, describe: skip })
  yargs.option("failover", { type: "boolean", describe: failover })
  yargs.option("wait", {
    type: "boolean",
    describe: "wait for the first provider that returns when none can answer; with --continue alone, keep waiting",
  })
  return yargs
}

/** Applies these options to the session. Returns why something was refused. */
export async function steer(sdk: object, sessionID: string, given: Given): Promise<string | undefined> {
  // Upstream's client does not know our routes, and its part that sends requests is protected.
  const client: { readonly post: Posting } = Reflect.get(sdk, "client")
  const headers = { "Content-Type": "application/json" }
  for (const { what, body } of CombinedSteer.wishes(given)) {
    const { error } = await client.post({ url: `/combined/session/${sessionID}/${what}`, body, headers })
    if (error) return error.data?.message ?? `--${what} was refused`
  }
  return undefined
}

type Given = Readonly<Record<string, unknown>>

/** `--wait`: turns of this run wait for a member, whatever the settings say. */
export function patient({ wait }: Given) {
  if (wait) process.env["OPENCODE_COMBINED_WAIT"] = "1"
}

/** Whether the run has no message of its own and only continues a session that waits. */
export const resumes = ({ wait, attach, session, ...args }: Given, message: string) =>
  Boolean(wait && !attach && (args.continue || session) && !message.trim())

/** Whether the session waits for a member. */
export const waits = (sessionID: string) => CombinedWaits.abandoned(sessionID) !== undefined

export const NOTHING = "Nothing is waiting in this session. Give a message to continue it."

type Part = {
  readonly id: string
  readonly messageID: string
  readonly type: string
  readonly reason?: string
  readonly time?: { readonly end?: number }
  readonly state?: { readonly status: string }
}

type Properties = {
  readonly sessionID?: string
  readonly messageID?: string
  readonly partID?: string
  readonly part?: Part & { readonly sessionID: string }
  readonly info?: { readonly id: string; readonly sessionID?: string; readonly role: string }
  readonly status?: { readonly type: string }
}

/** Reasons for the end of a step after which its answer may still be discarded. */
const OPEN = ["unknown", "error"]

/**
 * The events of a session in the order in which they can be printed. Text is only printed once it is certain to stay,
 * because printing cannot be undone. That is the case when its step has ended properly, when a tool after it has
 * finished, or when the session continues without having removed it. When a step is discarded, its record moves to
 * another message; it is printed only once.
 */
export async function* settled<Event extends { readonly type: string }>(
  events: AsyncIterable<Event>,
  sessionID: string,
): AsyncGenerator<Event> {
  const held = new Map<string, { readonly part: Part; readonly event: Event }>()
  const ended = new Set<string>()
  const release = function* (when: (part: Part) => boolean) {
    for (const [id, { part, event }] of [...held].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
      if (!when(part)) continue
      held.delete(id)
      yield event
    }
  }

  for await (const event of events) {
    const { part, info, ...about } = propertiesOf(event)
    if ((part?.sessionID ?? info?.sessionID ?? about.sessionID) !== sessionID) {
      yield event
      continue
    }
    if (event.type === "message.removed")
      for (const [id, item] of held) if (item.part.messageID === about.messageID) held.delete(id)
    if (event.type === "message.part.removed" && about.partID) held.delete(about.partID)
    if (event.type === "message.updated" && info?.role === "assistant")
      yield* release((item) => item.messageID !== info.id)
    if (event.type === "session.error" || (event.type === "session.status" && about.status?.type === "idle"))
      yield* release(() => true)
    if (event.type === "message.part.updated" && part) {
      if ((part.type === "text" || part.type === "reasoning") && part.time?.end) {
        held.set(part.id, { part, event })
        continue
      }
      if (part.type === "tool" && (part.state?.status === "completed" || part.state?.status === "error"))
        yield* release((item) => item.messageID === part.messageID && item.id < part.id)
      // It moves to the next message, like the record of a step, and is printed only once.
      if (part.type === "retry") {
        if (ended.has(part.id)) continue
        ended.add(part.id)
      }
      if (part.type === "step-finish") {
        if (!OPEN.includes(part.reason ?? "")) yield* release((item) => item.messageID === part.messageID)
        if (ended.has(part.id)) continue
        ended.add(part.id)
      }
    }
    yield event
  }
  yield* release(() => true)
}

/** There are many kinds of events, each with its own properties. */
function propertiesOf(event: { readonly type: string }): Properties {
  return (event as { readonly properties?: Properties }).properties ?? {}
}

export * as CombinedRun from "./run"
