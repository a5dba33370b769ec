/** What the interpreter brings; asked of it once, since a child takes seconds to start. */
const LIBRARY = new Set(
  `__future__ _thread abc annotationlib argparse array ast asyncio atexit base64 bdb binascii bisect builtins bz2
  cProfile calendar cmath cmd code codecs codeop collections colorsys compileall compression concurrent configparser
  contextlib contextvars copy copyreg csv ctypes dataclasses datetime decimal difflib dis doctest email encodings enum
  errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext
  glob graphlib gzip hashlib heapq hmac html http imaplib importlib inspect io ipaddress itertools json keyword
  linecache locale logging lzma mailbox marshal math mimetypes mmap modulefinder multiprocessing netrc ntpath
  nturl2path numbers opcode operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix
  posixpath pprint profile pstats pty py_compile pyclbr pydoc pyexpat queue quopri random re reprlib rlcompleter runpy
  sched secrets select selectors shelve shlex shutil signal site smtplib socket socketserver sqlite3 sre_compile
  sre_constants sre_parse ssl stat statistics string stringprep struct subprocess symtable sys sysconfig tabnanny
  tarfile tempfile termios textwrap threading time timeit token tokenize tomllib trace traceback tracemalloc tty types
  typing unicodedata unittest urllib uuid warnings wave weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport
  zlib zoneinfo`.split(/\s+/),
)

/** The packages that Python code imports and that are not there. What it only tries to import is its own affair. */
export function missingPackages(code: string): readonly string[] {
  const missing = new Set<string>()
  for (const line of linesOutsideTry(code)) {
    for (const name of importedBy(line.trim())) if (!LIBRARY.has(name)) missing.add(name)
  }
  return [...missing]
}

/** Calls of the library that can only fail where there is neither network nor another process. */
const OUTWARD =
  /\b(?:urlopen|urlretrieve|socket\.create_connection|socket\.socket|smtplib\.SMTP(?:_SSL)?|http\.client\.HTTPS?Connection|(?:imaplib|poplib|ftplib)\.[A-Z]\w*|subprocess\.\w+|os\.(?:system|popen))\s*\(/

/** The first call of Python code that would leave its process, or null. What it only tries is its own affair. */
export function outwardCall(code: string): string | null {
  for (const line of linesOutsideTry(code)) {
    const found = OUTWARD.exec(line.replace(/#.*$/, ''))?.[0]
    if (found !== undefined) return found.replace(/\s*\($/, '')
  }
  return null
}

function* linesOutsideTry(code: string): Generator<string> {
  let tryIndent: number | null = null
  for (const line of withoutTexts(code).split('\n')) {
    const indent = /^\s*/.exec(line)?.[0].length ?? 0
    if (line.trim() !== '' && tryIndent !== null && indent <= tryIndent) tryIndent = null
    if (/^\s*try\s*:/.test(line)) tryIndent ??= indent
    if (tryIndent === null) yield line
  }
}

/** The packages that one statement imports. */
function importedBy(statement: string): readonly string[] {
  if (statement.startsWith('from ')) {
    const name = /^from\s+([A-Za-z_]\w*)(?:\.[\w.]*)?\s+import\b/.exec(statement)?.[1]
    return name === undefined ? [] : [name]
  }
  if (!statement.startsWith('import ')) return []
  const parts = statement.slice('import '.length).split(/[#;]/)[0]?.split(',') ?? []
  const names = parts.map((part) => /^([A-Za-z_]\w*)(?:\.[\w.]*)?(?:\s+as\s+\w+)?$/.exec(part.trim())?.[1])
  // Prose is no statement, and one odd part makes it prose.
  return names.every((name) => name !== undefined) ? names : []
}

/** Texts of several lines are often prose, and prose has lines that begin with "from" and "import". */
function withoutTexts(code: string): string {
  return code.replaceAll(/"""[\s\S]*?"""|'''[\s\S]*?'''/g, '""')
}
