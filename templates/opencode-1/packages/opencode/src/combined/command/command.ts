/** `opencode combined`: shows what users of only the binary need to see, ends cooldowns, and answers other programs. */
import { effectCmd, fail } from "@/cli/effect-cmd"
import { cmd } from "@/cli/cmd/cmd"
import { Effect } from "effect"
import { EOL } from "os"
import type { Argv } from "yargs"

const json = <T>(yargs: Argv<T>) =>
  yargs.option("json", { describe: "print one JSON object", type: "boolean", default: false })

/**
 * Waits until all is written: a pipe takes long text in pieces, and upstream ends the process when a command returns.
 */
const print = (lines: readonly string[]) =>
  Effect.promise(
    () =>
      new Promise<void>((resolve) => {
        process.stdout.write(lines.map((line) => line + EOL).join(""), () => resolve())
      }),
  )

const ListCommand = effectCmd({
  command: ["list", "$0"],
  describe: "the combined models of this directory with their members",
  builder: (yargs) =>
    json(yargs).option("all", { describe: "also models of one provider", type: "boolean", default: false }),
  handler: Effect.fn("Cli.combined.list")(function* (args) {
    const { CombinedSurvey } = yield* Effect.promise(() => import("./survey"))
    const { CombinedReport } = yield* Effect.promise(() => import("../view/report"))
    const report = yield* CombinedSurvey.make({ all: args.all })
    return yield* print(args.json ? [JSON.stringify(report, null, 2)] : CombinedReport.lines(report, Date.now()))
  }),
})

const CheckCommand = effectCmd({
  command: "check",
  describe: "mistakes in the settings of combined models",
  builder: json,
  handler: Effect.fn("Cli.combined.check")(function* (args) {
    const { CombinedSurvey } = yield* Effect.promise(() => import("./survey"))
    const { CombinedText } = yield* Effect.promise(() => import("../text"))
    const { mistakes, sources } = yield* CombinedSurvey.make({ all: false })
    if (args.json) return yield* print([JSON.stringify({ mistakes, sources }, null, 2)])
    const lines = mistakes.map(({ source, text }) => CombinedText.shown(source ? `${source}: ${text}` : text))
    return yield* print(lines.length ? lines : [`Nothing wrong in ${sources.length} files.`])
  }),
})

const HealthCommand = effectCmd({
  command: "health [action] [member]",
  describe: "which provider is being avoided and until when; `health clear` asks it again now",
  instance: false,
  builder: (yargs) =>
    json(yargs)
      .positional("action", { describe: "what to do", choices: ["clear"] as const })
      .positional("member", { describe: "a provider, or provider/model; all of them without it", type: "string" }),
  handler: Effect.fn("Cli.combined.health")(function* (args) {
    const { CombinedEnding } = yield* Effect.promise(() => import("../host/ending"))
    const { CombinedKnown } = yield* Effect.promise(() => import("../view/known"))
    if (args.action === "clear") {
      const ended = CombinedEnding.clear(args.member)
      if (!ended.length && args.member) return yield* fail(`${args.member} is not being avoided.`)
      if (args.json) return yield* print([JSON.stringify({ cleared: ended }, null, 2)])
      return yield* print(
        ended.length ? ended.map((name) => `${name} can be asked again now.`) : ["No provider was being avoided."],
      )
    }
    const found = CombinedEnding.health()
    return yield* print(args.json ? [JSON.stringify(found, null, 2)] : CombinedKnown.lines(found, Date.now()))
  }),
})

const AttemptsCommand = effectCmd({
  command: "attempts",
  describe: "which provider answered, what failed, and what it cost",
  instance: false,
  builder: (yargs) => json(yargs).option("last", { describe: "how many", type: "number", default: 40 }),
  handler: Effect.fn("Cli.combined.attempts")(function* (args) {
    const { CombinedAttempts } = yield* Effect.promise(() => import("../view/attempts"))
    const { CombinedLog } = yield* Effect.promise(() => import("../host/log"))
    const found = CombinedAttempts.last(CombinedLog.read(), args.last)
    if (args.json) return yield* print([JSON.stringify({ attempts: found }, null, 2)])
    const width = process.stdout.isTTY ? process.stdout.columns : 500
    return yield* print(
      found.length ? found.map((item) => CombinedAttempts.line(item, width)) : ["No attempts are recorded."],
    )
  }),
})

export const command = cmd({
  command: "combined",
  describe: "combined models: members, health, mistakes in the settings, attempts",
  builder: (yargs) => yargs.command(ListCommand).command(HealthCommand).command(CheckCommand).command(AttemptsCommand),
  async handler() {},
})
