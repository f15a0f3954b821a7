/** The server's routes below `/combined`, which upstream's client does not know. */
import { OpenCode as Upstream } from "@opencode-ai/client"
import type { CombinedPicture } from "@opencode-ai/core/combined/view/picture"

type Address = { readonly baseUrl: string; readonly headers?: Readonly<Record<string, string>> }

const addresses = new WeakMap<object, Address>()

/** Makes upstream's client, and notes the address and the password. */
export const OpenCode = {
  make(address: Address) {
    const client = Upstream.make(address)
    addresses.set(client, address)
    return client
  },
}

async function ask(
  client: object,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  init: RequestInit,
) {
  const address = addresses.get(client)
  if (!address) throw new Error("The address of the server is not known")
  const url = new URL(`/combined${path}`, address.baseUrl)
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value)
  const headers = { ...address.headers, ...(init.body ? { "content-type": "application/json" } : {}) }
  return fetch(url, { ...init, headers })
}

type Where = { readonly directory: string | undefined; readonly sessionID?: string }

export async function picture(client: object, { directory, sessionID }: Where) {
  const response = await ask(client, "", { "location[directory]": directory, sessionID }, { method: "GET" })
  if (!response.ok) return undefined
  const found: CombinedPicture.Picture = JSON.parse(await response.text())
  return found
}

/** Returns why the request was refused, if it was. */
export async function post(client: object, directory: string | undefined, route: string, body: unknown) {
  const init = { method: "POST", ...(body !== undefined && { body: JSON.stringify(body) }) }
  const query = { "location[directory]": directory }
  const response = await ask(client, `/${route}`, query, init).catch((error: unknown) => String(error))
  if (typeof response === "string") return { refusal: response }
  const text = await response.text()
  if (response.ok) return { data: JSON.parse(text) as unknown }
  return { refusal: messageOf(text) ?? `The server answered with ${response.status}` }
}

function messageOf(text: string) {
  try {
    const { message }: { readonly message?: unknown } = JSON.parse(text)
    return typeof message === "string" ? message : undefined
  } catch {
    return undefined
  }
}

export * as CombinedTuiServer from "./server"
