/** What the pickers and the labels of answers show about combined models. Pure. */

type Name = { readonly providerID: string; readonly modelID: string }

type Providers = ReadonlyMap<
  string,
  {
    readonly name: string
    readonly models: Readonly<
      Record<string, { readonly name: string; readonly options?: Readonly<Record<string, unknown>> }>
    >
  }
>

type Answer = Name & { readonly agent: string }

/** The message that was answered. */
type Question = { readonly agent: string; readonly model?: Name }

/**
 * The label of an answer: its model and provider, and, if the model differs from the first one of what was asked, which
 * model it replaces. A command or a summary with an agent of its own may have a model of its own, which replaces none.
 */
export function serving(providers: Providers, answer: Answer, question: Question | undefined) {
  const nameOf = ({ providerID, modelID }: Name) => providers.get(providerID)?.models[modelID]?.name ?? modelID
  const label = `${nameOf(answer)} (${providers.get(answer.providerID)?.name ?? answer.providerID})`
  if (!question?.model || question.agent !== answer.agent) return label
  const first = preferred(providers, question.model)
  if (!first || identityOf(providers, first) === identityOf(providers, answer)) return label
  return `${label} instead of ${nameOf(first)}`
}

/** The first member of a combined model; any other model is returned as it is. Undefined if it is not listed. */
function preferred(providers: Providers, asked: Name): Name | undefined {
  if (asked.providerID !== "combined") return asked
  const [first] = known(providers.get("combined")?.models[asked.modelID])
  if (!first) return undefined
  const [member] = first
  const slash = member.indexOf("/")
  return { providerID: member.slice(0, slash), modelID: member.slice(slash + 1) }
}

/** The identity of a member's model. Models that are in no combined model all count as different. */
function identityOf(providers: Providers, { providerID, modelID }: Name) {
  const key = `${providerID}/${modelID}`
  const members = Object.values(providers.get("combined")?.models ?? {}).flatMap(known)
  return members.find(([member]) => member === key)?.[1] ?? key
}

/** The members of a combined model, each with its identity. */
function known(model: { readonly options?: Readonly<Record<string, unknown>> } | undefined) {
  return (model?.options?.combined_members ?? []) as readonly (readonly [member: string, identity: string])[]
}

/** The providers behind a combined model, as a second line; undefined for any other model. */
export function members(model: { readonly options?: Readonly<Record<string, unknown>> }): string[] | undefined {
  const names = model.options?.combined
  return Array.isArray(names) ? [names.join(" → ")] : undefined
}

/** Providers that a user can log in to. */
export function real<P extends { readonly id: string }>(providers: readonly P[]) {
  return providers.filter((provider) => provider.id !== "combined")
}

export * as CombinedModels from "./models"
