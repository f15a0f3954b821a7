/** What the hook in packages/opencode/src/cli/cmd/web.ts calls. */
import { Effect } from "effect"
import { CombinedWebUI } from "../web-ui"

/** Tells the terminal when this binary has no web UI of its own. */
export const announce = (println: (line: string) => void) =>
  Effect.promise(async () => {
    // Imported here, as upstream does with its server, because every command loads this file.
    const { UI_UPSTREAM, embeddedUI } = await import("@/server/shared/ui")
    if (!(await embeddedUI(false))) println(`  ${CombinedWebUI.notice(UI_UPSTREAM.origin)}`)
  })

export * as CombinedWeb from "./web"
