/** Tells the user what is wrong in the settings: in the log, and on the screen. */
import { Effect } from "effect"
import { CombinedFallback } from "../choice/fallback"
import { CombinedConflicts } from "../conflicts"
import type { Offer } from "../identity/grouping"
import { check } from "../identity/options"
import { CombinedMistakes } from "../mistakes"
import { CombinedSettings } from "../settings"
import { CombinedSources } from "../sources"
import { CombinedText } from "../text"
import { isObject } from "../value"
import type { CombinedReport } from "../view/report"
import type { CombinedRunnerSettings } from "./settings"
import { TuiEvent, type EventV2 } from "./upstream/catalog"

type Sources = Effect.Success<ReturnType<typeof CombinedRunnerSettings.sources>>

/** A mistake, and its file if known. */
type Mistake = CombinedReport.Mistake

/** Settings that have the wrong form. */
export const wrong = (sources: Sources): Mistake[] =>
  sources.flatMap(({ file, wrong }) => wrong.map((text) => ({ source: file, text })))

/** The mistake in one line. */
export const line = ({ source, text }: Mistake) => (source === undefined ? text : `${source}: ${text}`)

type Facts = {
  /** The models of all providers, connected or not. */
  readonly offers: readonly Offer[]
  readonly known: CombinedFallback.Known
  /** The models of the user's own providers, and which of them may never be asked because they bill each request. */
  readonly own: Pick<CombinedConflicts.Facts, "offers" | "isNever">
}

/** Settings that have no effect, or a different one than it seems. */
export function of(sources: Sources, settings: CombinedSettings.Info, { offers, known, own }: Facts): Mistake[] {
  const providers = [...new Set(offers.map((offer) => offer.providerID))]
  const ids = () => new Set([...known.groups.keys(), ...known.reduced().keys(), ...CombinedFallback.own(known)])
  const names = check(CombinedSettings.read(settings), offers, ids)
    // Without a similar name, the provider is probably one that is connected on another machine.
    .filter((text) => !/: no (provider|model) |^combined.exclude:/.test(text) || text.includes(" Did you mean "))
    .map((text) => CombinedMistakes.named(settings, text))
  const found = [
    ...CombinedMistakes.contradictions(settings),
    ...CombinedMistakes.budgets(settings),
    ...CombinedMistakes.prices(settings, providers),
    ...CombinedMistakes.fallbacks(settings),
    ...CombinedMistakes.misspelt(settings, providers),
    ...names,
    ...CombinedConflicts.conflicts(
      { ...settings, ...switchedOff(sources) },
      { ...own, members: (where) => CombinedFallback.written(where, known)?.members ?? [] },
    ),
  ]
  const texts = sources.map(({ file, text }) => [file, text] as const)
  return [
    ...texts.flatMap(([file, text]) =>
      isObject(text) ? CombinedMistakes.unknown(text).map((unknown) => ({ source: file, text: unknown })) : [],
    ),
    ...found.map(({ path, value, text }) => {
      const source = CombinedSources.find(texts, path, value)
      return { ...(source !== undefined && { source }), text }
    }),
  ]
}

/** Which providers the files switch on and off, under OpenCode 1's keys, which OpenCode 2 still reads. */
function switchedOff(sources: Sources) {
  const said = (key: string) => sources.flatMap(({ text }) => (isObject(text) ? [text[key]] : []).filter(Array.isArray))
  const [enabled] = said("enabled_providers")
  return { disabled_providers: said("disabled_providers").flat(), ...(enabled && { enabled_providers: enabled }) }
}

const said = new Set<string>()

/** Reports each mistake once per process. */
export const say = Effect.fn("CombinedRunnerMistakes.say")(function* (
  events: Pick<EventV2.Interface, "publish">,
  mistakes: readonly Mistake[],
) {
  for (const mistake of mistakes) {
    const message = CombinedText.shown(line(mistake))
    if (said.has(message)) continue
    said.add(message)
    yield* Effect.logWarning(message)
    yield* events.publish(TuiEvent.ToastShow, {
      title: "Combined models",
      message,
      variant: "warning",
      duration: 15_000,
    })
  }
})

export * as CombinedRunnerMistakes from "./mistakes"
