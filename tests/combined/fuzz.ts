/**
 * Holds the laws of a turn against many random sequences of outcomes.
 *
 *     bun run tests/combined/fuzz.ts [--sequences 100000] [--seed N]
 *
 * Exits 1 and names the seed of the first sequence that breaks a law; the same seed plays the same sequence.
 */
import { parseArgs } from "util"
import { search } from "./laws"

const { values } = parseArgs({
  options: { sequences: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
})
const [sequences, seed] = [Number(values.sequences), Number(values.seed)]
const found = search(sequences, seed)
if (found) {
  console.error(`Broken: ${found.law} (seed ${found.seed})`)
  process.exit(1)
}
console.log(`${sequences} sequences from seed ${seed}: every law holds.`)
