const file = process.env.MODELS_DEV_API_JSON

/** The catalogue that goes into the program. */
export const modelsData = file ? await Bun.file(file).text() : "{}"
