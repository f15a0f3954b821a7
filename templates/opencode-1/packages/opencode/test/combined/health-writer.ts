/** A process whose members fail one after another: `health-writer.ts FILE PROVIDER COUNT`. */
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthStore } from "@/combined/health/store"
import { CombinedHealthFile } from "@/combined/host/health-file"

const [file, provider, count] = process.argv.slice(2)
const store = CombinedHealthStore.open(CombinedHealthFile.shelf(file), (state) =>
  CombinedCooldown.current(state, Date.now(), () => undefined),
)

for (let index = 0; index < Number(count); index++)
  store.update((state) => {
    const failure = { kind: "quota", scope: "model", message: "no money left" } as const
    return CombinedCooldown.fail(state, provider, String(index), failure, Date.now())
  })

export {}
