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

/** One that is not stored. The small OpenCode does not look at what is in it. */
export const ephemeral = <Type extends string>({ type }: { readonly type: Type; readonly schema: unknown }) =>
  define<unknown>()(type)
