/** Tells the user something about the settings, once per process. */
import { GlobalBus } from "@/bus/global"
import { CombinedText } from "../text"

/** How long the TUI takes to load before it shows toasts. Upstream's own notice of a new release waits one second. */
const TUI = 3_000

const said = new Set<string>()

const WORDS = { warning: "Warning", info: "Note" }

/** Prints a line on stderr. The TUI owns the terminal and runs OpenCode in a worker, so there it is a toast. */
export function say(text: string, variant: keyof typeof WORDS = "warning") {
  const message = CombinedText.shown(text)
  if (said.has(message)) return
  said.add(message)
  if (Bun.isMainThread) {
    process.stderr.write(`${WORDS[variant]}: ${message}\n`)
    return
  }
  const properties = { title: "Combined models", message, variant, duration: 15_000 }
  setTimeout(
    () => GlobalBus.emit("event", { directory: "global", payload: { type: "tui.toast.show", properties } }),
    TUI,
  ).unref()
}

export * as CombinedSay from "./say"
