import { existsSync } from 'node:fs'
import { openChromium } from './chromium-visitor.ts'
import { openFormVisitor } from './form-visitor.ts'
import type { Visitor } from './visitor.ts'

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** A headless Chromium when the machine has one, else the same pages by plain form posts. */
export async function openVisitor(formsOnly: boolean): Promise<Visitor> {
  const executable = formsOnly ? undefined : BROWSERS.find((path) => existsSync(path))
  return executable === undefined ? openFormVisitor() : openChromium(executable)
}
