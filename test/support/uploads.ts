/** The smallest picture that is one. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** Uploads as a browser does. */
export async function upload(url: string, appId: string, token: string, name: string, bytes: Uint8Array | string) {
  const body = new FormData()
  body.append('file', new Blob([Buffer.from(bytes)], { type: 'application/x-anything' }), name)
  return sendBody(url, appId, token, body)
}

/** Sends any body to the upload route. */
export async function sendBody(url: string, appId: string, token: string, body: FormData | string, type?: string) {
  const response = await fetch(`${url}/openapi/v1/apps/${appId}/files/upload`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, ...(type === undefined ? {} : { 'Content-Type': type }) },
    body,
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
}

/** The first words of an upload written by hand, up to where its file begins; the boundary is `XX`. */
export function uploadHead(appId: string, token: string, length: number, name = 'a.txt'): string {
  return [
    `POST /openapi/v1/apps/${appId}/files/upload HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${token}`,
    'Content-Type: multipart/form-data; boundary=XX',
    `Content-Length: ${length}`,
    '',
    '--XX',
    `Content-Disposition: form-data; name="file"; filename="${name}"`,
    '',
    '',
  ].join('\r\n')
}
