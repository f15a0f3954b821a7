/** Services with what they are made of. Those of a location are made for each directory, global ones once. */
import { Effect, Layer, Scope, type Context } from "effect"

type Input<I, S, E, R, Deps> = {
  readonly service: Context.Key<I, S>
  readonly layer: Layer.Layer<I, E, R>
  readonly deps: Deps
}

type Layers = [Layer.Any, ...Layer.Any[]]

const memo = Layer.makeMemoMapUnsafe()
const forever = Scope.makeUnsafe()

export const makeLocationNode = <I, S, E, R, const Deps extends Layers>(input: Input<I, S, E, R, Deps>) =>
  Layer.provide(input.layer, input.deps)

export const makeGlobalNode = <I, S, E>(input: Omit<Input<I, S, E, never, never>, "deps">) =>
  Layer.effectContext(Effect.suspend(() => Layer.buildWithMemoMap(input.layer, memo, forever)))
