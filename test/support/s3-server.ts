import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import type { S3Settings } from '#adapters/files/s3-file-store.ts'
import { onLoopback } from './loopback.ts'
import { isSigned } from './s3-signature.ts'

const [ACCESS_KEY, SECRET_KEY] = ['S3RVER', 'S3RVER']

/** A real S3-compatible server with one bucket. It does not look at signatures, so that is done in front of it. */
export async function anS3Server() {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-s3-'))
  const s3 = new S3rver({ silent: true, directory, configureBuckets: [{ name: 'uploads', configs: [] }] })
  await s3.configureBuckets()
  const handle = s3.callback()
  const server = createServer((request, response) => {
    if (isSigned(request, ACCESS_KEY, SECRET_KEY)) void handle(request, response)
    else response.writeHead(403).end()
  })
  const { url, close } = await onLoopback(server)
  const settings: S3Settings = {
    endpoint: url,
    bucket: 'uploads',
    region: 'us-east-1',
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    prefix: 'latchkey/',
  }
  return {
    settings,
    async close() {
      await close()
      await rm(directory, { recursive: true })
    },
  }
}
