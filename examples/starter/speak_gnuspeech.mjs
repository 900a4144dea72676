// Speak English with GnuSpeech. Arguments: the folder that holds node_modules, and a JSON file with a list of
// {"text", "voice", "tempo", "wav"}. Each is spoken into its WAV file: 44.1 kHz, mono, 16 bit.

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, orders] = process.argv.slice(2)
const entry = createRequire(join(folder, 'main.js')).resolve('@echogarden/gnuspeech-wasm')
const { synthesize } = await import(pathToFileURL(entry))

for (const { text, voice, tempo, wav } of JSON.parse(readFileSync(orders, 'utf8'))) {
    const { audioData } = await synthesize(text, { voice, tempo, controlRate: 250 })
    writeFileSync(wav, audioData)
}
