import { Effect } from "effect"
import { EOL } from "node:os"

/**
 * Waits until all is written: a pipe takes long text in pieces, and upstream ends the process when a command returns.
 */
const write = (stream: NodeJS.WriteStream, lines: readonly string[]) =>
  Effect.promise(
    () => new Promise<void>((resolve) => stream.write(lines.map((line) => line + EOL).join(""), () => resolve())),
  )

export const print = (lines: readonly string[]) => write(process.stdout, lines)

export const json = (value: unknown) => print([JSON.stringify(value, null, 2)])

export const fail = (message: string) =>
  Effect.andThen(
    write(process.stderr, [message]),
    Effect.sync(() => (process.exitCode = 1)),
  ).pipe(Effect.asVoid)

export * as CombinedOutput from "./output"
