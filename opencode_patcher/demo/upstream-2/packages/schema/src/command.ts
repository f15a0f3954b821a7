export const Command = { Event: { Definitions: [] } }
