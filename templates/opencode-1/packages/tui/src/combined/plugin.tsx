/** What combined models add to the TUI, as one of upstream's own plugins: a dialog, two keys, and a line at the prompt. */
import type { CombinedPicture } from "@opencode-ai/core/combined/view/picture"
import type { TuiPlugin, TuiPluginApi } from "@opencode-ai/plugin/tui"
import { useTerminalDimensions } from "@opentui/solid"
import { createMemo, createSignal, onCleanup, Show } from "solid-js"
import { CombinedTuiApi } from "./api"
import { CombinedDialog } from "./dialog"
import { CombinedWords } from "./words"

/** How often the times in the line are updated, in milliseconds. */
const TICK = 5000

/** The line at the prompt: which provider serves, and which ones are avoided until when. */
function Serving(props: { readonly api: TuiPluginApi; readonly sessionID: string }) {
  const size = useTerminalDimensions()
  const [picture, setPicture] = createSignal<CombinedPicture.Picture>()
  const [now, setNow] = createSignal(Date.now())
  const load = () =>
    void CombinedTuiApi.picture(props.api)
      .then((found) => setPicture(found))
      .catch(() => {})

  load()
  const timer = setInterval(() => setNow(Date.now()), TICK)
  const off = CombinedTuiApi.on(props.api, "combined.health", load)
  onCleanup(() => {
    clearInterval(timer)
    off()
  })

  const model = createMemo(() => {
    const id = CombinedTuiApi.asked(props.api, props.sessionID)
    return picture()?.models.find((item) => item.id === id)
  })
  const serving = createMemo(() => {
    const last = props.api.state.session.messages(props.sessionID).findLast((message) => message.role === "assistant")
    const member = last?.role === "assistant" ? `${last.providerID}/${last.modelID}` : undefined
    return model()?.members.find((row) => row.member === member)?.provider.name
  })
  const cooling = createMemo(() => CombinedWords.cooling(model()?.members ?? [], now()))
  const isBusy = createMemo(() => (props.api.state.session.status(props.sessionID)?.type ?? "idle") !== "idle")
  const theme = () => props.api.theme.current

  const cools = createMemo(() => {
    const [first, ...more] = cooling()
    if (first === undefined) return ""
    return size().width >= 120 ? cooling().join(", ") : `${first}${more.length ? ` +${more.length}` : ""}`
  })
  const hint = createMemo(() => {
    const others = (model()?.members.length ?? 0) > 1
    return isBusy() && others && size().width >= 100 ? `${CombinedDialog.NEXT_KEY} next provider` : ""
  })

  return (
    <box flexDirection="row" gap={1} flexShrink={0}>
      <Show when={serving()}>{(name) => <text fg={theme().textMuted}>{name()}</text>}</Show>
      <Show when={cools()}>{(line) => <text fg={theme().warning}>{`· ${line()}`}</text>}</Show>
      <Show when={hint()}>{(line) => <text fg={theme().textMuted}>{line()}</text>}</Show>
    </box>
  )
}

const tui: TuiPlugin = async (api) => {
  const screen = CombinedTuiApi.screen(api)
  api.slots.register({
    order: 50,
    slots: {
      session_prompt_right(_context, props) {
        return <Serving api={api} sessionID={props.session_id} />
      },
    },
  })
  api.keymap.registerLayer({
    commands: [
      {
        name: "combined.show",
        title: "Combined models: providers and their health",
        slashName: "combined",
        category: "Provider",
        namespace: "palette",
        run: () => CombinedDialog.show(screen),
      },
      {
        name: "combined.next",
        title: "Next provider now",
        category: "Provider",
        namespace: "palette",
        run: () => void CombinedDialog.next(screen),
      },
    ],
    bindings: [
      { key: "<leader>p", cmd: "combined.show", desc: "Show the providers of combined models" },
      { key: CombinedDialog.NEXT_KEY, cmd: "combined.next", desc: "Ask the next provider now" },
    ],
  })
}

const plugin: { readonly id: string; readonly tui: TuiPlugin } = { id: "combined", tui }

export default plugin
