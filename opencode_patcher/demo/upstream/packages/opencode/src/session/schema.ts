/** Ids of what a session consists of. */
import { Identifier } from "@/id"

export const PartID = { ascending: () => Identifier.ascending("prt") }
