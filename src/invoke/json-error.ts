/**
 * Why bytes are not JSON, in the words of AWS's parser (Jackson; reference: invoke.md 4). Only ever called for bytes that
 * `JSON.parse` refused, so it finds the first defect and its place and decides nothing.
 */

const VALUES = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
const SOURCE = 'at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)'

/** Nesting that we follow; deeper input is refused by its place alone. */
const MAX_DEPTH = 1000

export function describeJsonError(bytes: Uint8Array): string {
  try {
    new Scanner(bytes).document()
  } catch (error) {
    if (error instanceof Defect) return `${error.message}\n ${SOURCE}; line: ${error.line}, column: ${error.column}]`
    throw error
  }
  return `Unexpected content\n ${SOURCE}; line: 1, column: 1]`
}

class Defect extends Error {
  readonly line: number
  readonly column: number
  constructor(message: string, line: number, column: number) {
    super(message)
    this.line = line
    this.column = column
  }
}

/** As Java's `isJavaIdentifierPart`: what the parser takes together as one unknown token. */
const IDENTIFIER_PART = /^[\p{L}\p{N}\p{Sc}\p{Pc}\p{M}]$/u

const QUOTE = 0x22
const BACKSLASH = 0x5c

class Scanner {
  readonly #bytes: Uint8Array
  #at = 0
  #line = 1
  #lineStart = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  document(): void {
    this.#value(0)
    const before = this.#at
    this.#space()
    if (this.#at < this.#bytes.length) {
      if (before === this.#at) this.#unexpected('Expected space separating root-level values')
      this.#value(0)
      this.#fail('Trailing token after the end of the value', this.#at)
    }
  }

  #value(depth: number): void {
    this.#space()
    const byte = this.#bytes[this.#at]
    if (byte === undefined) this.#fail('No content to map due to end-of-input', this.#at)
    if (depth > MAX_DEPTH)
      this.#fail(`Document nesting depth (${depth}) exceeds the maximum allowed (${MAX_DEPTH})`, this.#at)
    if (byte === QUOTE) this.#string()
    else if (byte === 0x7b) this.#container(depth, 0x7d, 'Object')
    else if (byte === 0x5b) this.#container(depth, 0x5d, 'Array')
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.#number()
    else if (isWord(byte)) this.#word()
    else this.#unexpected(`expected a valid value (${VALUES})`)
  }

  #container(depth: number, close: number, kind: 'Object' | 'Array'): void {
    const start = `start marker ${SOURCE}; line: ${this.#line}, column: ${this.#at - this.#lineStart + 1}]`
    this.#at++
    this.#space()
    if (this.#bytes[this.#at] === close) {
      this.#at++
      return
    }
    for (;;) {
      this.#space()
      this.#needMore(`expected close marker for ${kind} (${start})`)
      if (kind === 'Object') {
        if (this.#bytes[this.#at] !== QUOTE) this.#unexpected('was expecting double-quote to start field name')
        this.#string()
        this.#space()
        this.#needMore('within/between Object entries')
        if (this.#bytes[this.#at] !== 0x3a) this.#unexpected('was expecting a colon to separate field name and value')
        this.#at++
      }
      this.#value(depth + 1)
      this.#space()
      this.#needMore(`expected close marker for ${kind} (${start})`)
      const byte = this.#bytes[this.#at]
      if (byte === close) {
        this.#at++
        return
      }
      if (byte !== 0x2c) this.#unexpected(`was expecting comma to separate ${kind} entries`)
      this.#at++
    }
  }

  #string(): void {
    this.#at++
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined)
        this.#fail('Unexpected end-of-input: was expecting closing quote for a string value', this.#at)
      if (byte === QUOTE) {
        this.#at++
        return
      }
      if (byte === BACKSLASH) this.#escape()
      else if (byte < 0x20) {
        const text = `Illegal unquoted character (${describe(byte)}): has to be escaped using backslash to be included in string value`
        this.#fail(text, this.#at + 1)
      } else this.#at += this.#sequence(byte)
    }
  }

  #escape(): void {
    const byte = this.#bytes[this.#at + 1]
    if (byte === 0x75) {
      for (let i = 2; i < 6; i++) {
        const digit = this.#bytes[this.#at + i]
        if (digit === undefined || !/[0-9a-fA-F]/.test(String.fromCharCode(digit))) {
          this.#at += i
          this.#unexpected('expected a hex-digit for character escape sequence')
        }
      }
      this.#at += 6
      return
    }
    if (byte === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(byte))) {
      this.#at++
      if (byte === undefined) this.#fail('Unexpected end-of-input in character escape sequence', this.#at)
      this.#fail(`Unrecognized character escape ${describe(byte)}`, this.#at + 1)
    }
    this.#at += 2
  }

  /** Length of the UTF-8 sequence that starts here. */
  #sequence(byte: number): number {
    if (byte < 0x80) return 1
    const length = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 0
    if (length === 0 || byte >= 0xf8) this.#fail(`Invalid UTF-8 start byte ${hex(byte)}`, this.#at + 1)
    for (let i = 1; i < length; i++) {
      const next = this.#bytes[this.#at + i]
      if (next === undefined || (next & 0xc0) !== 0x80) {
        this.#fail(`Invalid UTF-8 middle byte ${hex(next ?? 0)}`, this.#at + i + 1)
      }
    }
    return length
  }

  #number(): void {
    const start = this.#at
    while (/[-+.0-9eE]/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0))) this.#at++
    const text = String.fromCharCode(...this.#bytes.subarray(start, Math.min(this.#at, start + 64)))
    if (/^-?0\d/.test(text)) {
      this.#at = start + (text.startsWith('-') ? 2 : 1)
      this.#fail('Invalid numeric value: Leading zeroes not allowed', this.#at)
    }
    if (!/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text))
      this.#unexpected('Expected digit (0-9) to follow minus sign or decimal point')
    if (isWord(this.#bytes[this.#at] ?? 0)) this.#unexpected('Expected space separating root-level values')
  }

  #word(): void {
    const start = this.#at
    for (let byte = this.#bytes[start]; byte !== undefined; byte = this.#bytes[this.#at]) {
      if (byte < 0x80) {
        if (!isWord(byte)) break
        this.#at++
        continue
      }
      const length = this.#sequence(byte)
      if (!IDENTIFIER_PART.test(this.#text(this.#at, this.#at + length))) break
      this.#at += length
    }
    const text = this.#text(start, Math.min(this.#at, start + 256))
    if (text !== 'null' && text !== 'true' && text !== 'false') {
      this.#fail(`Unrecognized token '${text}': was expecting (${VALUES})`, this.#at)
    }
  }

  #text(start: number, end: number): string {
    return Buffer.from(this.#bytes.subarray(start, end)).toString()
  }

  #space(): void {
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte === 0x0a) {
        this.#line++
        this.#lineStart = this.#at + 1
      } else if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return
      this.#at++
    }
  }

  #needMore(what: string): void {
    if (this.#at >= this.#bytes.length) this.#fail(`Unexpected end-of-input: ${what}`, this.#at)
  }

  #unexpected(what: string): never {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) this.#fail(`Unexpected end-of-input: ${what}`, this.#at)
    return this.#fail(`Unexpected character (${describe(byte)}): ${what}`, this.#at)
  }

  #fail(message: string, at: number): never {
    throw new Defect(message, this.#line, at - this.#lineStart + 1)
  }
}

/** Letters, digits, `_` and `$`; by number, because an expression for each of six million bytes stops the event loop for a second. */
function isWord(byte: number): boolean {
  const letter = byte | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte === 0x24
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}

function describe(byte: number): string {
  const control = byte < 0x20 || (byte >= 0x7f && byte < 0xa0)
  return control ? `(CTRL-CHAR, code ${byte})` : `'${String.fromCharCode(byte)}' (code ${byte})`
}
