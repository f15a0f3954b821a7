export const CredentialHandler = "credential"
