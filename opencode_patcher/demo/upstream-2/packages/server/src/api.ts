/** Where OpenCode 2 describes its API. The small one has none of this: it answers in packages/cli/src/server.ts. */
import { LocationMiddleware } from "./location"
import { SessionLocationMiddleware } from "./location"

const makeDefaultApi = <Options>(options: Options) => ({ options, addHttpApi: (_more: unknown) => options })

export const Api = makeDefaultApi({
  locationMiddleware: LocationMiddleware,
  sessionLocationMiddleware: SessionLocationMiddleware,
})
