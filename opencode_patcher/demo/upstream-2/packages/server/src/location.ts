/** Which project a request is about. */
export const LocationMiddleware = "location"
export const SessionLocationMiddleware = "session"
