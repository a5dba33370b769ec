const LINE = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/im
const PARAMETER = /;[ \t]*([\w!#$&+.^`|~*-]{1,32})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))/g

/** What a part of a form is called, and its file's name when it is a file; null when it has no name (RFC 7578 §4.2). */
export function dispositionOf(headers: string): { readonly name: string; readonly filename: string | null } | null {
  // A line may go on in the next, which begins with a blank (RFC 5322 §2.2.3).
  const [, parameters = ''] = LINE.exec(headers.replaceAll(/\r\n[ \t]+/g, ' ')) ?? []
  const given = new Map<string, string>()
  for (const [, key = '', quoted, bare = ''] of parameters.matchAll(PARAMETER)) {
    if (!given.has(key.toLowerCase())) given.set(key.toLowerCase(), quoted === undefined ? bare : unescaped(quoted))
  }
  const name = given.get('name')
  if (name === undefined || name === '') return null
  return { name, filename: extended(given.get('filename*')) ?? given.get('filename') ?? null }
}

/** Browsers escape a quote as `%22`, others with a backslash; a backslash before anything else is a path's. */
function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\(["\\])/g, '$1').replaceAll('%22', '"')
}

/** RFC 8187 §3.2; what cannot be decoded counts as absent. */
function extended(value: string | undefined): string | null {
  const [, encoded] = /^utf-8'[^']*'(.+)$/i.exec(value ?? '') ?? []
  if (encoded === undefined) return null
  try {
    return decodeURIComponent(encoded)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}
