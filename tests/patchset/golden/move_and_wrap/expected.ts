import { Menu } from "./menu"

/* The old way:
    return Shop.of({ order, pay })
*/
const example = `
    return Shop.of({ order, pay })
`

function legacy() {
  const order = () => undefined
  const pay = () => undefined
  if (example) {
    return Shop.of({ order, pay })
  }
}

export const layer = make(
  Shop,
  run(function* () {
    const menu = yield* Menu

    const order = label("Shop.order")(function* (
      dish: string,
      count: number,
    ) {
      return yield* menu.find(dish).pipe(
        retry({ times: 1 }),
        repeat(count),
      )
    })

    const pay = label("Shop.pay")(function* (amount: number) {
      return yield* menu.find("bill").pipe(
        named("the \"house\" soup"),
        retry({ times: 3 }),
        repeat(amount),
      )
    })

    return yield* Counter.wrap(Shop.of({ order, pay }))
  }),
)

import { Counter } from "../counter"
export * as Shops from "./shop"
