/** Everything that is kept: documents, in the order in which they were made. */
export * as Database from "./database"

import { Database as SQLite } from "bun:sqlite"
import path from "path"
import { Context, Layer } from "effect"
import { makeGlobalNode } from "../effect/app-node"
import { Global } from "../global"

type Kind = "session" | "message" | "pending" | "suspended"
type Row = { readonly data: string }

const open = () => {
  const database = new SQLite(path.join(Global.Path.data, "small-opencode-2.db"))
  database.run("pragma journal_mode = wal")
  database.run(
    "create table if not exists document (number integer primary key, kind text, id text, parent text, data text, unique (kind, id))",
  )
  const read = <T>({ data }: Row): T => JSON.parse(data)
  return {
    get: <T>(kind: Kind, id: string): T | undefined =>
      database
        .query<Row, string[]>("select data from document where kind = ? and id = ?")
        .all(kind, id)
        .map((row) => read<T>(row))[0],
    list: <T>(kind: Kind, parent: string): T[] =>
      database
        .query<Row, string[]>("select data from document where kind = ? and parent = ? order by number")
        .all(kind, parent)
        .map((row) => read<T>(row)),
    put: (kind: Kind, item: { readonly id: string }, parent: string) =>
      void database.run(
        "insert into document (kind, id, parent, data) values (?, ?, ?, ?) on conflict do update set data = excluded.data",
        [kind, item.id, parent, JSON.stringify(item)],
      ),
    remove: (kind: Kind, id: string) => void database.run("delete from document where kind = ? and id = ?", [kind, id]),
  }
}

export interface Interface {
  readonly db: ReturnType<typeof open>
}

export class Service extends Context.Service<Service, Interface>()("@small/Database") {}

const layer = Layer.sync(Service, () => Service.of({ db: open() }))

export const node = makeGlobalNode({ service: Service, layer })
