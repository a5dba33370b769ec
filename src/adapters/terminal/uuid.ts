const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** Whether `text` is an id of this API; only such text goes into a path. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}
