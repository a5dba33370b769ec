import type { S3Settings } from '#adapters/files/s3-file-store.ts'
import { USUAL_EXTENSIONS } from '#domain/file-type.ts'
import { USUAL_UPLOAD_QUOTA } from '#domain/upload-quota.ts'
import { type UploadRules, USUAL_FILES_PER_RUN, USUAL_MAX_BYTES } from '#domain/uploaded-file.ts'
import { isReadOnTheWay, isWord, type Reader } from './config-reader.ts'

/** How files come in, where they are kept, for how long, and how models get to see them. */
export type UploadsConfig = {
  readonly rules: UploadRules
  readonly retentionDays: number
  /** Null keeps them in `DATA_DIR`. */
  readonly s3: S3Settings | null
  /** Where others fetch files; null when this server does not know its public origin. */
  readonly origin: string | null
  readonly linkSeconds: number
  /** How pictures are handed to models. */
  readonly sendAs: 'base64' | 'url'
}

const MIB = 1024 * 1024
const isExtension = (text: string) => text === '*' || /^\.?[a-z0-9]{1,16}$/i.test(text)

/** Reads the variables of uploads. Where the app files' own server has a name for one, that name is kept. */
export function readUploads(
  read: Reader,
  consoleApiUrl: string | null,
  fault: (line: string) => void,
  warn: (line: string) => void,
): UploadsConfig {
  const megabytes = (name: string, usual: number) => read.whole(name, usual / MIB, 1, 1000) * MIB
  const bound = (of: 'PERSON' | 'WORKSPACE') => {
    const usual = USUAL_UPLOAD_QUOTA[of === 'PERSON' ? 'person' : 'workspace']
    return {
      files: read.whole(`UPLOAD_QUOTA_${of}_FILES`, usual.files, 0, 1_000_000_000),
      bytes: read.whole(`UPLOAD_QUOTA_${of}_MB`, usual.bytes / MIB, 0, 1_000_000_000) * MIB,
    }
  }
  const listed = read.list('UPLOAD_FILE_EXTENSIONS', isExtension, 'a comma-separated list of extensions, or *')
  const extensions = listed?.map((one) => one.replace(/^\./, '').toLowerCase()) ?? USUAL_EXTENSIONS
  const origin = read.origin('FILES_URL') ?? consoleApiUrl
  const sendAs = read.oneOf('MULTIMODAL_SEND_FORMAT', ['base64', 'url'], 'base64')
  if (sendAs === 'url' && origin === null) {
    fault('FILES_URL (or CONSOLE_API_URL) must be set when MULTIMODAL_SEND_FORMAT is url: models fetch files there')
  }
  const s3 = readS3(read, fault, warn)
  if (s3 === null && read.text('REDIS_URL') !== null) {
    warn('uploads are kept in DATA_DIR: replicas have to share it, or set S3_ENDPOINT and its like')
  }
  return {
    rules: {
      extensions: extensions.includes('*') ? null : extensions,
      maxBytes: {
        document: megabytes('UPLOAD_FILE_SIZE_LIMIT', USUAL_MAX_BYTES.document),
        image: megabytes('UPLOAD_IMAGE_FILE_SIZE_LIMIT', USUAL_MAX_BYTES.image),
        audio: megabytes('UPLOAD_AUDIO_FILE_SIZE_LIMIT', USUAL_MAX_BYTES.audio),
        video: megabytes('UPLOAD_VIDEO_FILE_SIZE_LIMIT', USUAL_MAX_BYTES.video),
      },
      perRun: read.whole('WORKFLOW_FILE_UPLOAD_LIMIT', USUAL_FILES_PER_RUN, 1, 100),
      quota: { person: bound('PERSON'), workspace: bound('WORKSPACE') },
    },
    retentionDays: read.whole('FILES_RETENTION_DAYS', 30, 1, 36_500),
    s3,
    origin,
    linkSeconds: read.whole('FILES_ACCESS_TIMEOUT', 300, 1, 86_400),
    sendAs: sendAs === 'url' ? 'url' : 'base64',
  }
}

const S3_NAMES = ['S3_ENDPOINT', 'S3_BUCKET_NAME', 'S3_ACCESS_KEY', 'S3_SECRET_KEY']

function readS3(read: Reader, fault: (line: string) => void, warn: (line: string) => void): S3Settings | null {
  const endpoint = read.origin('S3_ENDPOINT')
  const bucket = read.named('S3_BUCKET_NAME', isBucket, 'the name of a bucket')
  const accessKey = read.named('S3_ACCESS_KEY', isWord(256), 'one word')
  const secretKey = read.named('S3_SECRET_KEY', isWord(256), 'one word')
  const region = read.named('S3_REGION', isWord(64), 'one word') ?? 'us-east-1'
  const prefix = read.named('S3_PREFIX', isPrefix, 'a path of plain words that ends in /') ?? 'latchkey/'
  const missing = S3_NAMES.filter((name) => read.text(name) === null)
  if (missing.length === S3_NAMES.length) return null
  for (const name of missing) fault(`${name} must be set when another S3_ variable is`)
  if (endpoint === null || bucket === null || accessKey === null || secretKey === null) return null
  if (isReadOnTheWay(endpoint)) warn('S3_ENDPOINT is plain http: files can be read and changed on the way')
  return { endpoint, bucket, region, accessKey, secretKey, prefix }
}

function isBucket(text: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text)
}

function isPrefix(text: string): boolean {
  return text.length <= 256 && /^(?:[\w-][\w.-]*\/)+$/.test(text)
}
