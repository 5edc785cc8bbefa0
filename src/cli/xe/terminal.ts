/** Keyboard and screen for a conversation: a line when it is asked for, and a raw console until Ctrl-]. */
import type { Duplex } from 'node:stream'
import type { ThinCliTerminal } from '../../xapi/index.js'
import { ByteReader } from '../../xapi/thin-cli/reader.js'
import { textStream } from './terminal-text.js'

const LEAVE_CONSOLE = 0x1d // Ctrl-]

/** Standard input is opened by the first question, because a program in a pipe may have none. */
export function openTerminal(trace: (text: string) => void): ThinCliTerminal {
  let keyboard: ByteReader | undefined
  return {
    output: textStream(process.stdout),
    errors: textStream(process.stderr),
    trace,
    async readLine() {
      keyboard ??= new ByteReader(process.stdin)
      return readLine(keyboard)
    },
    async attachConsole(stream, received) {
      process.stdout.write(received)
      const typedAhead = keyboard?.release()
      keyboard = undefined
      if (typedAhead) stream.write(typedAhead)
      await joinConsole(stream)
    },
  }
}

async function readLine(keyboard: ByteReader): Promise<string> {
  let end = -1
  do end = keyboard.peek().indexOf('\n')
  while (end < 0 && (await keyboard.pull()))
  const line = end < 0 ? keyboard.peek() : keyboard.peek().subarray(0, end)
  const text = line.toString('utf8')
  await keyboard.takeUpTo(end < 0 ? line.length : end + 1)
  return text
}

async function joinConsole(stream: Duplex): Promise<void> {
  const { stdin, stdout } = process
  const isTerminal = stdin.isTTY === true
  if (isTerminal) stdin.setRawMode(true)
  const onInput = (typed: Buffer) => {
    const leave = typed.indexOf(LEAVE_CONSOLE)
    stream.write(leave < 0 ? typed : typed.subarray(0, leave))
    if (leave >= 0) stream.destroy()
  }
  const onInputEnd = () => stream.end()
  stdin.on('data', onInput).once('end', onInputEnd)
  stream.on('data', (shown: Buffer) => stdout.write(shown))
  try {
    await new Promise<void>((resolve) => {
      stream.once('close', resolve).once('error', () => resolve())
    })
  } finally {
    stdin.off('data', onInput).off('end', onInputEnd)
    stdin.pause()
    if (isTerminal) stdin.setRawMode(false)
  }
}
