export * as Event from "./event"

/** A kind of event; `Data` is what each of them has. */
export type Definition<Type extends string, Data> = { readonly type: Type; readonly of?: Data }

export type Payload<Type extends string = string, Data = unknown> = {
  readonly id: string
  readonly type: Type
  readonly created: number
  readonly data: Data
}

export const define =
  <Data>() =>
  <Type extends string>(type: Type): Definition<Type, Data> => ({ type })
