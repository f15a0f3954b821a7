// A process whose members fail one after the other. Prints how long it waited for each, in milliseconds.
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthStore } from "@/combined/health/store"
import { CombinedHealthFile } from "@/combined/host/health-file"

const [file, provider, count, start] = process.argv.slice(2)
const store = CombinedHealthStore.open(CombinedHealthFile.shelf(file), (state) =>
  CombinedCooldown.current(state, Date.now(), () => undefined),
)
await Bun.sleep(Math.max(0, Number(start) - Date.now()))
const waits: number[] = []
for (let index = 0; index < Number(count); index++) {
  const began = performance.now()
  store.update((state) => {
    const failure = { kind: "quota", scope: "model", message: "no money left" } as const
    return CombinedCooldown.fail(state, provider, String(index), failure, Date.now())
  })
  waits.push(performance.now() - began)
  await Bun.sleep(20)
}
console.log(JSON.stringify(waits))
