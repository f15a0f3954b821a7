/**
 * What combined models add to the TUI, as one of upstream's own plugins: a dialog, two keys, a toast for each failover,
 * and a line above the prompt while members cool down.
 */
import type { CombinedPicture } from "@opencode-ai/core/combined/view/picture"
import { Plugin } from "@opencode-ai/plugin/v2/tui"
import { createMemo, createSignal, onCleanup, Show } from "solid-js"
import { useClient } from "../context/client"
import { useTheme } from "../context/theme"
import { useDialog } from "../ui/dialog"
import { DialogSelect } from "../ui/dialog-select"
import { useToast } from "../ui/toast"
import { CombinedDialog } from "./dialog"
import type { Screen } from "./screen"
import { CombinedTuiServer } from "./server"
import { CombinedWords } from "./words"

/** How often the times in the line are updated, in milliseconds. */
const TICK = 5000

/** How long the toast about a failover is shown, in milliseconds. */
const SAID = 8000

type Context = Plugin.Context

/** The session that is open. */
function sessionOf({ ui }: Context) {
  const route = ui.router.current()
  return route.type === "session" ? route.sessionID : undefined
}

const directoryOf = ({ data, location }: Context) => (location ?? data.location.default()).directory

/** The combined model that a session uses; undefined if it uses another one. */
function asked({ data }: Context, sessionID: string) {
  const model = data.session.get(sessionID)?.model
  return model?.providerID === "combined" ? model.id : undefined
}

/** Listens to an event that upstream's types do not know. */
const on = ({ data }: Context, type: string, handler: (event: { readonly data: unknown }) => void) =>
  data.listen(({ details }) => {
    const said: string = details.type
    if (said === type) handler(details)
  })

function Commands(props: { readonly context: Context }) {
  const client = useClient()
  const dialog = useDialog()
  const toast = useToast()
  const { context } = props
  const screen: Screen = {
    session: () => sessionOf(context),
    asked: (id) => asked(context, id),
    picture: (sessionID) => CombinedTuiServer.picture(client.api, { directory: directoryOf(context), sessionID }),
    post: (route, body) => CombinedTuiServer.post(client.api, directoryOf(context), route, body),
    on: (type, handler) => on(context, type, handler),
    toast: (input) => toast.show(input),
    dialog: {
      replace: (render) => dialog.replace(render),
      clear: () => dialog.clear(),
      setSize: (size) => dialog.setSize(size),
    },
    DialogSelect,
  }

  onCleanup(
    on(context, "combined.switched", ({ data }) => {
      const { sessionID, message } = data as { readonly sessionID?: string; readonly message?: string }
      if (message === undefined || sessionID === undefined || sessionID !== sessionOf(context)) return
      toast.show({ variant: "warning", message, duration: SAID })
    }),
  )

  context.keymap.layer(() => ({
    mode: "global",
    commands: [
      {
        id: "combined.show",
        title: "Combined models: providers and their health",
        slash: { name: "combined" },
        group: "Provider",
        palette: true,
        bind: "<leader>p",
        run: () => CombinedDialog.show(screen),
      },
      {
        id: "combined.next",
        title: "Next provider now",
        group: "Provider",
        palette: true,
        bind: CombinedDialog.NEXT_KEY,
        run: () => void CombinedDialog.next(screen),
      },
    ],
  }))
  return null
}

/** The line above the prompt: which members are avoided, and until when. Hidden if there are none. */
function Avoided(props: { readonly context: Context; readonly sessionID: string }) {
  const client = useClient()
  const { themeV2 } = useTheme()
  const [picture, setPicture] = createSignal<CombinedPicture.Picture>()
  const [now, setNow] = createSignal(Date.now())
  const load = () =>
    void CombinedTuiServer.picture(client.api, { directory: undefined, sessionID: props.sessionID })
      .then((found) => setPicture(found))
      .catch(() => {})

  load()
  const timer = setInterval(() => setNow(Date.now()), TICK)
  const off = on(props.context, "combined.health", load)
  onCleanup(() => {
    clearInterval(timer)
    off()
  })

  const cools = createMemo(() => {
    const id = asked(props.context, props.sessionID)
    const members = picture()?.models.find((item) => item.id === id)?.members ?? []
    return CombinedWords.cooling(members, now()).join(", ")
  })
  return (
    <Show when={cools()}>
      {(line) => (
        <box paddingLeft={2} height={1} overflow="hidden">
          <text fg={themeV2.text.feedback.warning.default}>{line()}</text>
        </box>
      )}
    </Show>
  )
}

export default Plugin.define({
  id: "combined",
  setup(context) {
    context.ui.slot("app", () => <Commands context={context} />)
    context.ui.slot("session.composer.top", (props) => <Avoided context={context} sessionID={props.sessionID} />)
  },
})
