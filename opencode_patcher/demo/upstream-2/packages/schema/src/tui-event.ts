export * as TuiEvent from "./tui-event"

import { Event } from "./event"

type Toast = {
  readonly title?: string
  readonly message: string
  readonly variant: "info" | "success" | "warning" | "error"
  readonly duration: number
}

export const ToastShow = Event.define<Toast>()("tui.toast.show")
