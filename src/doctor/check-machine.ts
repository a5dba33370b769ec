import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Sandbox } from '#adapters/runner-native/code/sandbox.ts'
import type { Config } from '../config.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const MIB = 1024 * 1024
const LOW_MIB = 1024
const TOO_LOW_MIB = 100

/** Whether `DATA_DIR` can be written and has room; nothing is written to find out. */
export async function checkDisk(config: Config): Promise<readonly Finding[]> {
  const isNeeded = config.databaseUrl === null || config.uploads.s3 === null
  if (!isNeeded) return [ok('disk', 'DATA_DIR is not used')]
  const fix = 'set DATA_DIR to a folder that this user can write, or change its owner'
  const folder = await nearestFolder(config.dataDir)
  try {
    if (!(await stat(folder)).isDirectory()) return [fail('disk', 'DATA_DIR is not a folder', fix)]
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return [fail('disk', `DATA_DIR cannot be written (${String(error.code)})`, fix)]
  }
  const { bavail, bsize } = await statfs(folder)
  const freeMib = Math.floor((bavail * bsize) / MIB)
  const more = 'free some space, or move DATA_DIR'
  if (freeMib < TOO_LOW_MIB) return [fail('disk', `DATA_DIR has ${freeMib} MiB left`, more)]
  if (freeMib < LOW_MIB) return [warn('disk', `DATA_DIR has ${freeMib} MiB left`, more)]
  return [ok('disk', `DATA_DIR can be written and has ${Math.floor(freeMib / 1024)} GiB left`)]
}

/** A folder that the first start makes is made in the nearest one that exists. */
async function nearestFolder(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return isAbsent && dirname(path) !== path ? nearestFolder(dirname(path)) : path
  }
}

/** Whether the children that run code of apps start here, and compute. */
export async function checkSandbox(sandbox: Sandbox): Promise<readonly Finding[]> {
  const signal = new AbortController().signal
  const fix =
    'allow this user to start processes and map memory (systemd: MemoryDenyWriteExecute=no; containers: pids and memory limits)'
  const found = (name: string, ran: Awaited<ReturnType<Sandbox['runJavaScript']>>): Finding =>
    ran.ok && JSON.stringify(ran.value) === '{"sum":3}'
      ? ok(`sandbox ${name}`, 'starts and computes')
      : fail(`sandbox ${name}`, ran.ok ? 'computes wrongly' : `does not run: ${ran.error.slice(0, 120)}`, fix)
  return [
    found(
      'javascript',
      await sandbox.runJavaScript('function main({ a }) { return { sum: a + 1 } }', { a: 2 }, signal),
    ),
    found('python', await sandbox.runPython('def main(a):\n    return {"sum": a + 1}\n', { a: 2 }, 'doctor', signal)),
  ]
}
