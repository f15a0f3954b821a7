// Times the grouping of a catalogue: once cold, then again and again. Reads {"offers": […], "rounds": n} from a file.
import { group } from "./grouping"

const { offers, rounds } = await Bun.file(process.argv[2]).json()
const times = Array.from({ length: rounds }, () => {
  const began = performance.now()
  group(offers, { priority: [] })
  return performance.now() - began
})
console.log(JSON.stringify(times))
