/** A line of the transcript that says which member took over from which, and why. The model does not see it. */
import { CombinedHappening } from "@opencode-ai/core/combined/view/happening"
import { createMemo, Show } from "solid-js"
import { useTheme } from "../context/theme"

const MARKS = { moved: "↪", repeated: "↻", "left out": "◌" } as const satisfies Record<
  CombinedHappening.Happening["action"],
  string
>

export function RetryPart(props: { readonly part: { readonly type: string; readonly error?: unknown } }) {
  const { theme } = useTheme()
  const happening = createMemo(() => CombinedHappening.of(props.part))
  return (
    <Show when={happening()}>
      {(found) => (
        <box paddingLeft={3} marginTop={1} flexShrink={0}>
          <text fg={theme.textMuted} wrapMode="word">
            <span style={{ fg: theme.warning }}>{MARKS[found().action]}</span>{" "}
            {CombinedHappening.line(found(), Date.now())}
          </text>
        </box>
      )}
    </Show>
  )
}
