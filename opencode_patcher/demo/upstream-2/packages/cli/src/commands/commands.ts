/** The commands of OpenCode 2. Those of the small one are in ../index.ts. */
import { Spec } from "../framework/spec"

const Argument = { string: (name: string) => ({ pipe: (description: string) => ({ name, description }) }) }

export const Commands = Spec.make("opencode2", {
  commands: [
    Spec.make("run", {
      params: {
        message: Argument.string("message").pipe(
          "What to ask, in words that are passed on as they are; several words need no quotes",
        ),
      },
    }),
  ],
})
