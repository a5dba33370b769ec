type Parts = Readonly<Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>>

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const LOCAL_TIME = /^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*$/
const MAX_FORMAT = 200

/** The instant in a zone, by the directives of C's `strftime` that people use; others stay as they are. */
export function formatTime(atMs: number, zone: string, format: string): string {
  const parts = partsOf(atMs, zone)
  return format.slice(0, MAX_FORMAT).replaceAll(/%([A-Za-z%])/g, (whole, directive: string) => {
    return directiveOf(directive, parts, atMs, zone) ?? whole
  })
}

function directiveOf(directive: string, parts: Parts, atMs: number, zone: string): string | null {
  const { year, month, day, hour, minute, second } = parts
  const two = (number: number) => String(number).padStart(2, '0')
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay()
  switch (directive) {
    case 'Y':
      return String(year).padStart(4, '0')
    case 'y':
      return two(year % 100)
    case 'm':
      return two(month)
    case 'd':
      return two(day)
    case 'H':
      return two(hour)
    case 'I':
      return two(hour % 12 || 12)
    case 'M':
      return two(minute)
    case 'S':
      return two(second)
    case 'f':
      return String(Math.floor(((atMs % 1000) + 1000) % 1000))
        .padStart(3, '0')
        .padEnd(6, '0')
    case 'p':
      return hour < 12 ? 'AM' : 'PM'
    case 'A':
      return WEEKDAYS[weekday] ?? ''
    case 'a':
      return (WEEKDAYS[weekday] ?? '').slice(0, 3)
    case 'B':
      return MONTHS[month - 1] ?? ''
    case 'b':
      return (MONTHS[month - 1] ?? '').slice(0, 3)
    case 'w':
      return String(weekday)
    case 'j':
      return String((Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / 86_400_000 + 1).padStart(3, '0')
    case 'F':
      return `${year}-${two(month)}-${two(day)}`
    case 'T':
      return `${two(hour)}:${two(minute)}:${two(second)}`
    case 's':
      return String(Math.floor(atMs / 1000))
    case 'Z':
      return zone
    case 'z':
      return offsetOf(parts, atMs)
    case '%':
      return '%'
    default:
      return null
  }
}

/** The instant that a local time means in a zone, or null. Of two, at the end of summer time, the first. */
export function parseTime(text: string, zone: string): number | null {
  const found = LOCAL_TIME.exec(text)
  if (found === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map((part) => Number(part ?? 0))
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return null
  const wanted = Date.UTC(year, month - 1, day, hour, minute, second)
  // The offset depends on the instant that is looked for: the second guess is right but for the hour that does not exist.
  let atMs = wanted
  for (let guess = 0; guess < 2; guess++) atMs = wanted - (utcOf(partsOf(atMs, zone)) - atMs)
  return atMs
}

function partsOf(atMs: number, zone: string): Parts {
  const format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const named = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)] as const))
  const at = (type: Intl.DateTimeFormatPartTypes) => named.get(type) ?? 0
  return {
    year: at('year'),
    month: at('month'),
    day: at('day'),
    hour: at('hour'),
    minute: at('minute'),
    second: at('second'),
  }
}

function utcOf({ year, month, day, hour, minute, second }: Parts): number {
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function offsetOf(parts: Parts, atMs: number): string {
  const minutes = Math.round((utcOf(parts) - atMs) / 60_000)
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}${String(rest).padStart(2, '0')}`
}
