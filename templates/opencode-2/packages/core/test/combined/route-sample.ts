/** A combined model with two members, as a step sees it once its model is resolved. */
import { Model } from "@opencode-ai/ai"
import { AnthropicMessages, OpenAICompatibleChat } from "@opencode-ai/ai/protocols"
import { Effect } from "effect"
import { CombinedRun } from "../../src/combined/choice/run"
import { CombinedPool } from "../../src/combined/host/pool"
import { CombinedRunnerRoute } from "../../src/combined/runner/route"
import { CombinedRunnerTerms } from "../../src/combined/runner/terms"
import { CombinedSettings } from "../../src/combined/settings"
import { ModelV2 } from "../../src/model"
import { ProviderV2 } from "../../src/provider"
import type { SessionMessage } from "../../src/session/message"

let count = 0

type Protocol = "anthropic" | "chat"

const PROTOCOLS = {
  anthropic: { npm: "@ai-sdk/anthropic", route: AnthropicMessages.route },
  chat: { npm: "@ai-sdk/openai-compatible", route: OpenAICompatibleChat.route },
} as const

/** The first member. Its providers are used by no other test, because health is shared by the whole process. */
export function marked(protocol: Protocol, modelID: string, combined: CombinedSettings.Info["combined"] = {}) {
  count++
  const settings = { combined }
  const money = CombinedSettings.money(settings)
  const names = [`aaa${count}`, `bbb${count}`].map((id) => ({
    providerID: ProviderV2.ID.make(id),
    modelID: ModelV2.ID.make(modelID),
    identity: modelID,
  }))
  const members = names.map((name) => {
    const model = {
      ...ModelV2.Info.empty(name.providerID, name.modelID),
      package: ProviderV2.aisdk(PROTOCOLS[protocol].npm),
      limit: { context: 200_000, output: 32_000 },
    }
    const price = { input: 3, output: 15 }
    const facts = { money, price, provider: name.providerID, address: undefined, login: false, chosen: false }
    return { ...name, model, terms: CombinedRunnerTerms.of(name, facts) }
  })
  const run: CombinedRunnerRoute.Run = CombinedRun.make()
  const pool = CombinedPool.look({ settings: CombinedSettings.failover(settings), credentials: () => undefined })
  const [member] = members
  const model = Model.make({ id: modelID, provider: member.providerID, route: PROTOCOLS[protocol].route })
  const route: CombinedRunnerRoute.Route = {
    id: modelID,
    session: "ses_sample",
    member,
    members,
    pool,
    settings: pool.settings,
    run,
    money,
    wishes: Effect.sync(() => route.run.steer),
    nameOf: (providerID) => providerID,
    root: Effect.succeed(`ses_sample${count}`),
    put: () => Effect.die(new Error("nobody is asked here")),
    variant: { asked: undefined, own: undefined },
    resolve: () => Effect.die(new Error("not resolved here")),
    state: {},
  }
  const ref = ModelV2.Ref.make({ id: member.modelID, providerID: member.providerID })
  return { route, resolved: { model: CombinedRunnerRoute.mark(model, route), ref, cost: [] } }
}

type Content = SessionMessage.Assistant["content"]

export const user = { type: "user", id: "msg_1", text: "Hello" } as unknown as SessionMessage.Info

export const answer = (providerID: string, id: string, content: readonly unknown[]) =>
  ({
    type: "assistant",
    id: "msg_2",
    model: { providerID, id },
    content: content as Content,
  }) as SessionMessage.Assistant
