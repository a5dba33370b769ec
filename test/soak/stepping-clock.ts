/**
 * Loaded into a server before anything else (`--import`): SIGUSR2 steps its wall clock by so many milliseconds, and the
 * next one steps it back, as when a machine's clock is set.
 */
const stepMs = Number(process.env.CLOCK_STEP_MS ?? 0)
const { now } = Date
let isStepped = false
Date.now = () => now() + (isStepped ? stepMs : 0)
process.on('SIGUSR2', () => {
  isStepped = !isStepped
})
