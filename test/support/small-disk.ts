import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is a disk of its own. */
export type SmallDisk = { readonly folder: string; close(): void }

/** A disk of `bytes` in memory; null where this user may not mount one. */
export function openSmallDisk(bytes: number): SmallDisk | null {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', folder], {
    stdio: 'ignore',
  })
  if (status !== 0) {
    rmdirSync(folder)
    return null
  }
  let isOpen = true
  function close(): void {
    if (!isOpen) return
    isOpen = false
    spawnSync('umount', ['-l', folder], { stdio: 'ignore' })
    rmdirSync(folder)
  }
  process.once('exit', close)
  return { folder, close }
}
