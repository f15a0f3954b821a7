/**
 * What our part of the terminal interface needs from upstream's. Upstream's client does not know the routes below
 * `/combined`.
 */
import type { CombinedPicture } from "@opencode-ai/core/combined/view/picture"
import type { TuiPluginApi } from "@opencode-ai/plugin/tui"
import type { Screen } from "./screen"

type Answer = { readonly data?: unknown; readonly error?: unknown }

type Client = {
  readonly get: (options: { readonly url: string; readonly query?: Record<string, string> }) => Promise<Answer>
  readonly post: (options: {
    readonly url: string
    readonly body?: unknown
    readonly headers?: Record<string, string>
  }) => Promise<Answer>
}

/** Upstream's client knows the address, the project and the password, but its part that sends requests is protected. */
const client = (api: TuiPluginApi): Client => Reflect.get(api.client, "client")

export async function picture(api: TuiPluginApi, sessionID?: string): Promise<CombinedPicture.Picture | undefined> {
  const query = sessionID === undefined ? undefined : { sessionID }
  const { data } = await client(api).get({ url: "/combined", query })
  return data as CombinedPicture.Picture | undefined
}

/** Returns why the request was refused, if it was. */
export async function post(api: TuiPluginApi, route: string, body: unknown) {
  const headers = { "Content-Type": "application/json" }
  const { data, error } = await client(api).post({ url: `/combined/${route}`, body, headers })
  const refusal = error as { readonly data?: { readonly message?: string } } | undefined
  return { data, refusal: error === undefined ? undefined : (refusal?.data?.message ?? "OpenCode does not say why") }
}

/** Listens to an event that upstream's types may not know. */
export function on(api: TuiPluginApi, type: string, handler: () => void) {
  const bus = api.event as unknown as { readonly on: (type: string, handler: () => void) => () => void }
  return bus.on(type, handler)
}

/** The session that is open. */
export function session(api: TuiPluginApi) {
  const { current } = api.route
  const id = current.name === "session" ? current.params?.sessionID : undefined
  return typeof id === "string" ? id : undefined
}

/** The combined model that the session's last message was for; undefined if it was for another one. */
export function asked(api: TuiPluginApi, sessionID: string) {
  const last = api.state.session.messages(sessionID).findLast((message) => message.role === "user")
  return last?.role === "user" && last.model.providerID === "combined" ? last.model.modelID : undefined
}

export const screen = (api: TuiPluginApi): Screen => ({
  session: () => session(api),
  asked: (id) => asked(api, id),
  picture: (id) => picture(api, id),
  post: (route, body) => post(api, route, body),
  on: (type, handler) => on(api, type, handler),
  toast: api.ui.toast,
  dialog: {
    replace: (render) => api.ui.dialog.replace(render),
    clear: () => api.ui.dialog.clear(),
    setSize: (size) => api.ui.dialog.setSize(size),
  },
  DialogSelect: api.ui.DialogSelect,
})

export * as CombinedTuiApi from "./api"
