import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from '#adapters/crypto/random.ts'
import { ConfigError } from './config.ts'
import { MIN_KEY_LENGTH } from './config-reader.ts'

/**
 * The signing key of an installation that was given none; made once, readable by this user alone.
 * @throws ConfigError when what was kept is no key
 */
export async function keptSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret_key')
  if (!existsSync(path)) {
    // Renamed into place: half a key, left by a full disk, would sign every session from then on.
    await writeFile(`${path}.draft`, Buffer.from(randomBytes(48)).toString('base64url'), { mode: 0o600 })
    await rename(`${path}.draft`, path)
  }
  const key = (await readFile(path, 'utf8')).trim()
  if (key.length < MIN_KEY_LENGTH) throw new ConfigError([`${path} holds no usable key; remove it to get a new one`])
  return key
}
