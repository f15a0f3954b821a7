/** The screen of a session, drawn once as text. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"

type Providers = Record<string, { name: string; models: Record<string, { name: string }> }>

const Model = {
  name: (providers: ReadonlyMap<string, Providers[string]>, providerID: string, modelID: string) =>
    providers.get(providerID)?.models[modelID]?.name ?? modelID,
}

const ctx = { current: {} as Providers, providers: () => new Map(Object.entries(ctx.current)) }

/** A screen that is drawn once has nothing to keep up to date. */
const createMemo = <Value,>(compute: () => Value) => compute

export function Session(props: { providers: Providers; messages: readonly SessionV1.WithParts[] }) {
  ctx.current = props.providers
  return props.messages
    .map(({ info, parts }) =>
      info.role === "user" ? UserMessage({ parts }) : AssistantMessage({ message: info, parts }),
    )
    .join("\n")
}

function UserMessage(props: { parts: readonly SessionV1.Part[] }) {
  return `┃ ${text(props.parts)}\n`
}

function AssistantMessage(props: { message: SessionV1.Assistant; parts: readonly SessionV1.Part[] }) {
  const model = createMemo(() => Model.name(ctx.providers(), props.message.providerID, props.message.modelID))
  const error = props.message.error ? `\n${props.message.error.data.message}` : ""
  return `${text(props.parts)}${error}\n▣ ${props.message.agent} · ${model()}\n`
}

function text(parts: readonly SessionV1.Part[]) {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")
}
