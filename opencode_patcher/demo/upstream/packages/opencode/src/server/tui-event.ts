/** What the server asks a terminal interface to do. */
export const TuiEvent = { ToastShow: "tui.toast.show" } as const
