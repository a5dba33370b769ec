import type { JsonObject } from '#domain/app.ts'
import { numberAt, textAt } from '#domain/json.ts'
import { formatTime, parseTime } from './local-time.ts'
import { type NativeTool, ToolFailure, textOutput } from './tool.ts'

const DEFAULT_FORMAT = '%Y-%m-%d %H:%M:%S'
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = 'January February March April May June July August September October November December'.split(' ')

/** The tools that apps know as `time`. */
export const timeTools: Readonly<Record<string, NativeTool>> = {
  current_time: {
    description: 'Tells the current time.',
    parameters: object({ format: 'As of strftime.', timezone: 'An IANA name, such as Asia/Tokyo; UTC when absent.' }),
    call: ({ now }) => {
      return async (given) => textOutput(formatTime(now(), zoneOf(given, 'timezone'), formatOf(given)))
    },
  },
  timezone_conversion: {
    description: 'Converts a time from one time zone to another.',
    parameters: object({
      current_time: 'Such as 2024-01-01 00:00:00.',
      current_timezone: 'An IANA name.',
      target_timezone: 'An IANA name.',
    }),
    call: () => async (given) => {
      const atMs = instantOf(given, 'current_time', zoneOf(given, 'current_timezone'))
      return textOutput(formatTime(atMs, zoneOf(given, 'target_timezone'), DEFAULT_FORMAT))
    },
  },
  localtime_to_timestamp: {
    description: 'Converts a local time to seconds since 1970.',
    parameters: object({ localtime: 'Such as 2024-01-01 00:00:00.', timezone: 'An IANA name.' }),
    call: () => async (given) => {
      return textOutput(String(Math.floor(instantOf(given, 'localtime', zoneOf(given, 'timezone')) / 1000)))
    },
  },
  timestamp_to_localtime: {
    description: 'Converts seconds since 1970 to a local time.',
    parameters: object({ timestamp: 'Seconds since 1970.', timezone: 'An IANA name.' }),
    call: () => async (given) => {
      const seconds = numberAt(given, 'timestamp')
      if (seconds === null || Math.abs(seconds) > 8.64e12) throw new ToolFailure('timestamp must be seconds since 1970')
      return textOutput(formatTime(seconds * 1000, zoneOf(given, 'timezone'), DEFAULT_FORMAT))
    },
  },
  weekday: {
    description: 'Tells the day of the week of a date.',
    parameters: object({ year: 'Four digits.', month: '1 to 12.', day: '1 to 31.' }),
    call: () => async (given) => {
      const [year, month, day] = ['year', 'month', 'day'].map((name) => numberAt(given, name) ?? Number.NaN)
      const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day ?? 0))
      // A date that rolls over, such as 31 June, is none.
      if (!(date.getUTCMonth() === (month ?? 0) - 1 && date.getUTCDate() === day))
        throw new ToolFailure('there is no such date')
      return textOutput(`${MONTHS[date.getUTCMonth()]} ${day}, ${year} is ${DAYS[date.getUTCDay()]}.`)
    },
  },
}

function object(properties: Readonly<Record<string, string>>): JsonObject {
  const entries = Object.entries(properties).map(
    ([name, description]) => [name, { type: 'string', description }] as const,
  )
  return { type: 'object', properties: Object.fromEntries(entries), required: [] }
}

function formatOf(given: JsonObject): string {
  return textAt(given, 'format').trim() || DEFAULT_FORMAT
}

function zoneOf(given: JsonObject, name: string): string {
  const zone = textAt(given, name).trim() || 'UTC'
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone
  } catch (error) {
    if (error instanceof RangeError) throw new ToolFailure(`${name} must be the name of a time zone`)
    throw error
  }
}

function instantOf(given: JsonObject, name: string, zone: string): number {
  const atMs = parseTime(textAt(given, name), zone)
  if (atMs === null) throw new ToolFailure(`${name} must be a time such as 2024-01-01 00:00:00`)
  return atMs
}
