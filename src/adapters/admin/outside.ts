import { readFile } from 'node:fs/promises'

/** What a command may read where the operator is, and the serving process is not. */
export type Outside = {
  /** A keyboard may hide what is typed of a secret. */
  readonly readStdin: (what: 'file' | 'secret') => Promise<string>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A file that cannot be read; the words were right. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
}

/** "-" is standard input. @throws UnreadableFile */
export async function readSource(file: string, { readStdin }: Outside): Promise<string> {
  if (file === '-') return readStdin('file')
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new UnreadableFile(`cannot read ${file}: ${WHY_UNREADABLE[code] ?? code}`)
  }
}

const WHY_UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you are not allowed to',
}
