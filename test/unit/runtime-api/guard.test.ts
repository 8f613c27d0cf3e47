import { expect, it } from 'vitest'
import { refuseForeignHost, refusePage } from '../../../src/runtime-api/guard.ts'

const ADDRESS = '10.213.0.1:21000'

it.each([
  ['an SDK', { host: ADDRESS, 'user-agent': 'aws-sdk-js/3' }],
  ["Node's fetch", { host: ADDRESS, 'sec-fetch-mode': 'cors' }],
  ['a client of HTTP/1.0', {}],
  ['a bootstrap written by hand', { host: 'localhost' }],
  ['one that takes another address', { host: '127.0.0.1:9001' }],
])('%s is answered', (_, headers) => {
  expect(refusePage(headers, ADDRESS)).toBeUndefined()
})

it('a Host whose name can be made to point here is refused', () => {
  for (const host of ['evil.example:21000', 'evil.example', '10.213.0.1.evil.example', 'evil.'])
    expect(refusePage({ host }, ADDRESS)).toMatch(/^Host ".*" is not this API/)
})

it.each([
  { origin: 'null' },
  { origin: `http://${ADDRESS}` },
  { 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-dest': 'image' },
  { 'sec-fetch-user': '?1' },
])('a page in a browser is refused, whatever its origin: %o', (headers) => {
  expect(refusePage({ host: ADDRESS, ...headers }, ADDRESS)).toMatch(/^Pages in a browser/)
})

it('beyond the Runtime API only the address itself is a Host', () => {
  expect(refuseForeignHost({ host: ADDRESS }, ADDRESS)).toBeUndefined()
  expect(refuseForeignHost({}, ADDRESS)).toBeUndefined()
  for (const host of ['localhost', '10.213.0.1:9000', '10.213.0.1', 'evil.example:21000', ''])
    expect(refuseForeignHost({ host }, ADDRESS)).toMatch(/^Host /)
})
