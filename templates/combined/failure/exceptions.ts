/** The exceptions with which an answer in one of Amazon's event streams ends: SDKs and upstream may drop them. Pure. */
import { parsed } from "../value"

/** Whether an answer with this content type is such a stream. */
export const mayBeIn = (type: string) => type.includes("vnd.amazon.eventstream")

/**
 * The format: https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html. First the length of the message, the
 * length of its headers, and a checksum; then the headers, the payload, and a checksum. An exception is a message with
 * a type of its own.
 */
export function reader(tell: (event: unknown) => void) {
  const state = { bytes: new Uint8Array(0) }
  return (chunk: Uint8Array) => {
    state.bytes = joined(state.bytes, chunk)
    while (state.bytes.length >= 12) {
      const view = new DataView(state.bytes.buffer, state.bytes.byteOffset)
      const length = view.getUint32(0)
      if (length < 16 || state.bytes.length < length) break
      const message = state.bytes.subarray(0, length)
      state.bytes = state.bytes.subarray(length)
      const event = exception(message, view.getUint32(4))
      if (event) tell(event)
    }
  }
}

function joined(one: Uint8Array, other: Uint8Array) {
  const all = new Uint8Array(one.length + other.length)
  all.set(one)
  all.set(other, one.length)
  return all
}

/** The number of the type "string" in a header. */
const TEXT = 7

function exception(message: Uint8Array, headersLength: number): Record<string, unknown> | undefined {
  const decoder = new TextDecoder()
  const headers = new Map<string, string>()
  const end = 12 + headersLength
  for (let at = 12; at < end; ) {
    const name = message[at]
    const type = message[at + 1 + name]
    if (type !== TEXT) break
    const length = (message[at + 2 + name] << 8) | message[at + 3 + name]
    const from = at + 4 + name
    headers.set(
      decoder.decode(message.subarray(at + 1, at + 1 + name)),
      decoder.decode(message.subarray(from, from + length)),
    )
    at = from + length
  }
  if (headers.get(":message-type") !== "exception" && headers.get(":message-type") !== "error") return undefined
  const named = headers.get(":exception-type") ?? headers.get(":error-code") ?? "exception"
  const payload = decoder.decode(message.subarray(end, message.length - 4))
  return { [named.endsWith("Exception") ? named : `${named}Exception`]: parsed(payload) ?? { message: payload } }
}

export * as CombinedExceptions from "./exceptions"
