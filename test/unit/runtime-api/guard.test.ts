import { expect, it } from 'vitest'
import { refuseForeign } from '../../../src/runtime-api/guard.ts'

const ADDRESS = '10.213.0.1:21000'

it.each([
  ['an SDK', { host: ADDRESS, 'user-agent': 'aws-sdk-js/3' }],
  ["Node's fetch", { host: ADDRESS, 'sec-fetch-mode': 'cors' }],
  ['a client of HTTP/1.0', {}],
])('%s is answered', (_, headers) => {
  expect(refuseForeign(headers, ADDRESS)).toBeUndefined()
})

it.each([
  ['localhost', { host: 'localhost' }, /^Host "localhost" is not this API/],
  ['another port', { host: '10.213.0.1:9000' }, /^Host /],
  ['a name that points here', { host: 'evil.example:21000' }, /^Host /],
  ['an empty one', { host: '' }, /^Host /],
])('a Host that is not the address of the sandbox is refused: %s', (_, headers, text) => {
  expect(refuseForeign(headers, ADDRESS)).toMatch(text)
})

it.each([
  { origin: 'null' },
  { origin: `http://${ADDRESS}` },
  { 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-dest': 'image' },
  { 'sec-fetch-user': '?1' },
])('a page in a browser is refused, whatever its origin: %o', (headers) => {
  expect(refuseForeign({ host: ADDRESS, ...headers }, ADDRESS)).toMatch(/^Pages in a browser/)
})
