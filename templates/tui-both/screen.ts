/** What the dialog needs from the terminal interface. Each line of OpenCode provides it in its own way. */
import type { CombinedPicture } from "@opencode-ai/core/combined/view/picture"
import type { JSX } from "@opentui/solid"

export type Option = {
  readonly title: string
  readonly value: string
  readonly description?: string
  readonly footer?: string
  readonly category?: string
  readonly onSelect?: () => void
}

export type Screen = {
  /** The session that is open. */
  readonly session: () => string | undefined
  /** The combined model that a session uses; undefined if it uses another one. */
  readonly asked: (sessionID: string) => string | undefined
  readonly picture: (sessionID?: string) => Promise<CombinedPicture.Picture | undefined>
  /** Calls a route below `/combined`. Returns why it was refused, if it was. */
  readonly post: (route: string, body: unknown) => Promise<{ readonly data?: unknown; readonly refusal?: string }>
  readonly on: (type: string, handler: () => void) => () => void
  readonly toast: (input: { readonly variant: "success" | "warning" | "error"; readonly message: string }) => void
  readonly dialog: {
    readonly replace: (render: () => JSX.Element) => void
    readonly clear: () => void
    readonly setSize: (size: "medium" | "large" | "xlarge") => void
  }
  readonly DialogSelect: (props: {
    readonly title: string
    readonly placeholder?: string
    readonly options: Option[]
    readonly flat?: boolean
  }) => JSX.Element
}

export * as CombinedScreen from "./screen"
