/** Reads and writes a session's metadata, where we store what the user wants. Upstream's session types leave it out. */
import { eq, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Database } from "../../database/database"
import type { SessionSchema } from "../../session/schema"
import { SessionTable } from "../../session/sql"

type DB = Database.Interface["db"]

export class SessionGone extends Error {}

export const sessions = (db: DB) => ({
  get: (id: SessionSchema.ID) =>
    db
      .select({ metadata: SessionTable.metadata, parentID: SessionTable.parent_id })
      .from(SessionTable)
      .where(eq(SessionTable.id, id))
      .get()
      .pipe(
        Effect.orDie,
        Effect.flatMap((row) =>
          row
            ? Effect.succeed({ metadata: row.metadata ?? undefined, parentID: row.parentID ?? undefined })
            : Effect.fail(new SessionGone(`Session not found: ${id}`)),
        ),
      ),
  setMetadata: ({ sessionID, metadata }: { sessionID: SessionSchema.ID; metadata: Record<string, unknown> }) =>
    db
      .update(SessionTable)
      .set({ metadata, time_updated: sql`${SessionTable.time_updated}` })
      .where(eq(SessionTable.id, sessionID))
      .run()
      .pipe(Effect.orDie, Effect.asVoid),
  /** The sessions of the session's subagents. */
  children: (id: SessionSchema.ID) =>
    db
      .select({ id: SessionTable.id })
      .from(SessionTable)
      .where(eq(SessionTable.parent_id, id))
      .all()
      .pipe(
        Effect.orDie,
        Effect.map((rows) => rows.map((row) => row.id)),
      ),
})

export * as CombinedRunnerSessions from "./sessions"
