import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import type { S3Settings } from '#adapters/files/s3-file-store.ts'

/** A real S3-compatible server with one bucket. It knows one access key, and checks no signature. */
export async function anS3Server() {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-s3-'))
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: 'uploads', configs: [] }],
  })
  const { port } = await server.run()
  const settings: S3Settings = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'uploads',
    region: 'us-east-1',
    accessKey: 'S3RVER',
    secretKey: 'S3RVER',
    prefix: 'latchkey/',
  }
  return {
    settings,
    directory,
    async close() {
      await server.close()
      await rm(directory, { recursive: true })
    },
  }
}
