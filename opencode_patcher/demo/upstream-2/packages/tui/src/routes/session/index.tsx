/** A session on the screen: plain lines. */
import type { SessionMessage } from "@opencode-ai/core/session/message"
import { useClient } from "../../context/client"
import { SessionData } from "../../context/data"
import { findMessageBoundary, messageNavigationSlack } from "./message-navigation"

type SessionMessageAssistant = SessionMessage.Assistant

const use = useClient
const createMemo = <Value,>(value: () => Value) => value

function AssistantFooter(props: { message: SessionMessageAssistant }) {
  const ctx = use()
  const model = createMemo(
    () =>
      ctx
        .models()
        .find((model) => model.providerID === props.message.model.providerID && model.id === props.message.model.id)
        ?.name ?? `${props.message.model.providerID}/${props.message.model.id}`,
  )
  return props.message.error ? `! ${props.message.error.message} (${model()})` : ""
}

function AssistantMessage(props: { message: SessionMessageAssistant; last: boolean }) {
  const ctx = use()
  const model = createMemo(
    () =>
      ctx
        .models()
        .find((model) => model.providerID === props.message.model.providerID && model.id === props.message.model.id)
        ?.name ?? `${props.message.model.providerID}/${props.message.model.id}`,
  )
  const said = props.message.content.map((part) => (part.type === "tool" ? `# ${part.name}` : part.text))
  return [...said, props.last && !props.message.error ? `> ${model()}` : ""]
}

/** What is on the screen of a session, whenever it is asked for. */
export function Session(props: { readonly sessionID: string }) {
  const { messages } = SessionData.create(props.sessionID)
  return () => {
    const boundary = findMessageBoundary(messages)
    const lines = messages.flatMap((message, index) => [
      ...AssistantMessage({ message, last: index === boundary }),
      AssistantFooter({ message }),
    ])
    return lines.filter(Boolean).join("\n".repeat(messageNavigationSlack))
  }
}
