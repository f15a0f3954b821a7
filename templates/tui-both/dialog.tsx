/** `/combined`: the members of the combined models, and what a user can do about them. */
import { CombinedPicture } from "@opencode-ai/core/combined/view/picture"
import { useTerminalDimensions } from "@opentui/solid"
import { createEffect, createMemo, createSignal, onCleanup, onMount } from "solid-js"
import type { Option, Screen } from "./screen"
import { CombinedWords } from "./words"

/** How often times are counted down, in milliseconds. */
const TICK = 5000

export function show(screen: Screen) {
  screen.dialog.replace(() => <View screen={screen} />)
}

/** Ends the running request of the open session, and says if that was not possible. */
export async function next(screen: Screen) {
  const id = screen.session()
  if (id === undefined) return
  const { data, refusal } = await screen.post(`session/${id}/next`, undefined)
  const { running = 0, moved = 0 } = (data ?? {}) as { readonly running?: number; readonly moved?: number }
  // The server says which member takes over.
  if (moved > 0) return
  const message = refusal ?? (running > 0 ? "No other provider can answer now" : "No combined model is being asked")
  screen.toast({ variant: "warning", message })
}

/** Carries out what the user chose, and shows the members again. */
async function act(screen: Screen, route: string, body: unknown, done: string) {
  const { refusal } = await screen.post(route, body)
  screen.toast({ variant: refusal === undefined ? "success" : "error", message: refusal ?? done })
  show(screen)
}

function View(props: { readonly screen: Screen }) {
  const size = useTerminalDimensions()
  const [picture, setPicture] = createSignal<CombinedPicture.Picture>()
  const [now, setNow] = createSignal(Date.now())
  const sessionID = props.screen.session()
  const load = () =>
    void props.screen
      .picture(sessionID)
      .then((found) => setPicture(found))
      .catch(() => {})

  onMount(() => {
    load()
    const timer = setInterval(() => setNow(Date.now()), TICK)
    const off = ["combined.health", "combined.switched"].map((type) => props.screen.on(type, load))
    onCleanup(() => {
      clearInterval(timer)
      off.forEach((end) => end())
    })
  })

  createEffect(() =>
    props.screen.dialog.setSize(size().width >= 128 ? "xlarge" : size().width >= 96 ? "large" : "medium"),
  )

  const options = createMemo((): Option[] => {
    const found = picture()
    if (!found) return []
    const first = sessionID === undefined ? undefined : props.screen.asked(sessionID)
    const models = [...found.models].sort((a, b) => Number(b.id === first) - Number(a.id === first))
    const wide = size().width >= 96
    const rows = models.flatMap((model) =>
      model.members.map(
        (row): Option => ({
          title: `${CombinedWords.MARKS[row.standing]} ${row.provider.name}`,
          value: `${model.id} ${row.member}`,
          description: CombinedPicture.state(row, now()),
          footer: wide ? CombinedWords.account(row) : undefined,
          category: model.name,
          onSelect: () => props.screen.dialog.replace(() => <Member screen={props.screen} row={row} />),
        }),
      ),
    )
    return [...rows, ...general(props.screen, sessionID, found)]
  })

  return (
    <props.screen.DialogSelect
      title="Combined models"
      placeholder={picture() ? "Search providers and models" : "Asking the server …"}
      options={options()}
      flat={true}
    />
  )
}

/** The options that are not about a single member. */
function general(screen: Screen, sessionID: string | undefined, picture: CombinedPicture.Picture): Option[] {
  const { off } = picture.steer
  const category = "All"
  const inSession: Option[] =
    sessionID === undefined
      ? []
      : [
          {
            title: "Next provider now",
            value: "next",
            description: "ends the running request",
            footer: NEXT_KEY,
            category,
            onSelect: () => {
              screen.dialog.clear()
              void next(screen)
            },
          },
          {
            title: off ? "Turn failover on" : "Turn failover off",
            value: "off",
            description: "in this session",
            category,
            onSelect: () =>
              void act(
                screen,
                `session/${sessionID}/off`,
                { off: !off },
                off ? "Failover is on again" : "Only the first provider is asked in this session",
              ),
          },
        ]
  return [
    ...inSession,
    {
      title: "Forget all",
      value: "forget",
      description: "ends all cooldowns, in all sessions",
      category,
      onSelect: () => void act(screen, "clear", {}, "All providers are asked again"),
    },
  ]
}

export const NEXT_KEY = "ctrl+o"

function Member(props: { readonly screen: Screen; readonly row: CombinedPicture.Row }) {
  const { screen, row } = props
  const sessionID = screen.session()
  const { name } = row.provider
  const steer = (what: string, body: unknown, done: string) => act(screen, `session/${sessionID}/${what}`, body, done)
  const actions: readonly (Option | undefined)[] = [
    sessionID === undefined
      ? undefined
      : row.pinned
        ? {
            title: "Unpin it",
            value: "unpin",
            description: "others take over again when it fails",
            onSelect: () => void steer("pin", { member: null }, `${name} is not pinned any more`),
          }
        : {
            title: "Use it now",
            value: "pin",
            description: "only it is asked in this session",
            onSelect: () => void steer("pin", { member: row.member }, `Only ${name} is asked in this session`),
          },
    sessionID === undefined
      ? undefined
      : {
          title: row.ruledOut === "skipped" ? "Do not skip it" : "Skip it",
          value: "skip",
          description: "in this session",
          onSelect: () =>
            void steer(
              "skip",
              { member: row.member, skip: row.ruledOut !== "skipped" },
              row.ruledOut === "skipped" ? `${name} is asked again` : `${name} is not asked in this session`,
            ),
        },
    row.cooldown && {
      title: "Ask it again now",
      value: "clear",
      description: "ends its cooldown, in all sessions",
      onSelect: () => void act(screen, "clear", { member: row.member }, `${name} is asked again`),
    },
    { title: "Back", value: "back", onSelect: () => show(screen) },
  ]
  const facts = CombinedWords.details(row, Date.now()).map(
    (line, index): Option => ({
      title: line,
      value: `fact ${index}`,
      category: "Details",
      onSelect: () => show(screen),
    }),
  )
  return (
    <screen.DialogSelect
      title={`${name}: ${CombinedPicture.state(row, Date.now())}`}
      options={[...actions.filter((item) => item !== undefined), ...facts]}
    />
  )
}

export * as CombinedDialog from "./dialog"
