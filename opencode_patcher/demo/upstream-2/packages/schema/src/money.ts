export * as Money from "./money"

export type USD = number

export const USD = {
  zero: 0,
  make: (value: number): USD => value,
}
