/** The small OpenCode is not updated. */
export const Updater = undefined
