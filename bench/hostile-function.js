// What a function can do to its host from inside: everything at once, for a while. Returns what answered although it must not.
const net = require('node:net')

const [ADDRESS, PORT] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const SELF = process.env.AWS_LAMBDA_FUNCTION_NAME
const FUNCTIONS = '/2015-03-31/functions'
const MB = Buffer.alloc(1024 * 1024, 120)

/** Names of the attacks to be made; all of them unless given. */
let only

const counts = {}
const note = (what) => {
  counts[what] = (counts[what] ?? 0) + 1
}

/** A connection that sends `head`, then what `rest` writes, and is opened again when it ends. `read` false: answers stay unread. */
function attack(name, head, rest, read, until) {
  if (only !== undefined && !only.includes(name)) return
  const again = () => {
    if (Date.now() > until) return
    note(name)
    const socket = net.connect(Number(PORT), ADDRESS)
    socket.on('error', () => {})
    socket.on('connect', () => {
      socket.write(head)
      rest?.(socket)
    })
    if (read) socket.resume()
    else socket.pause()
    socket.on('close', () => setTimeout(again, 50))
  }
  again()
}

const post = (path, headers) => `POST ${path} HTTP/1.1\r\nHost: ${ADDRESS}:${PORT}\r\n${headers}\r\n\r\n`

/** The status of one request, and whether its body says something. */
function ask(method, path, headers, body = '') {
  return new Promise((resolve) => {
    const socket = net.connect(Number(PORT), ADDRESS)
    let text = ''
    const end = () => {
      socket.destroy()
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0))
    }
    socket.setTimeout(5000, end)
    socket.on('error', end)
    socket.on('close', end)
    socket.on('data', (chunk) => {
      text += chunk
      end()
    })
    const lines = {
      Host: `${ADDRESS}:${PORT}`,
      Connection: 'close',
      'Content-Length': Buffer.byteLength(body),
      ...headers,
    }
    socket.write(
      `${method} ${path} HTTP/1.1\r\n${Object.entries(lines)
        .map(([k, v]) => `${k}: ${v}\r\n`)
        .join('')}\r\n${body}`,
    )
  })
}

/** Requests that nothing of may answer with success. */
function forbidden(account) {
  const signed = {
    Authorization: `AWS4-HMAC-SHA256 Credential=AKIA0000${account}/20261201/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00`,
  }
  const other = `${FUNCTIONS}/arn%3Aaws%3Alambda%3Aus-east-1%3A${account}%3Afunction%3Avictim`
  const found = []
  for (const headers of [
    {},
    { Host: 'localhost' },
    { Host: '127.0.0.1:9000' },
    signed,
    { ...signed, Host: 'localhost' },
  ]) {
    for (const [method, path] of [
      ['GET', '/_hearth/environments'],
      ['GET', '/_hearth/config'],
      ['GET', '/_hearth/metrics'],
      ['GET', `/_hearth/logs?function=victim&account=${account}`],
      ['GET', `${FUNCTIONS}/`],
      ['GET', `${FUNCTIONS}/big`],
      ['GET', `${FUNCTIONS}/big/configuration`],
      ['DELETE', `${FUNCTIONS}/big`],
      ['GET', other],
      ['GET', `${other}/configuration`],
      ['DELETE', other],
      ['POST', `${other}/invocations`],
      ['GET', '/2018-10-31/layers'],
      ['GET', '/'],
      ['GET', '//_hearth/config'],
      ['GET', '/_hearth%2fconfig'],
      ['GET', 'http://localhost/_hearth/config'],
    ]) {
      found.push([method, path, headers])
    }
  }
  return found
}

exports.handler = async ({ seconds, account, attacks }) => {
  only = attacks
  const until = Date.now() + seconds * 1000
  const invoke = `${FUNCTIONS}/${SELF}/invocations`
  for (let i = 0; i < 100; i++) {
    attack(
      'half-sent',
      post(invoke, 'Content-Length: 6000000'),
      (socket) => {
        for (let sent = 0; sent < 5; sent++) socket.write(MB)
      },
      true,
      until,
    )
  }
  const chunks = Buffer.from('1\r\nx\r\n'.repeat(10_000))
  for (let i = 0; i < 20; i++) {
    attack(
      'one-byte chunks',
      post(i % 2 ? invoke : `${FUNCTIONS}/${SELF}/aliases`, 'Transfer-Encoding: chunked'),
      (socket) => {
        const more = () => {
          if (Date.now() < until && !socket.destroyed) socket.write(chunks, () => setTimeout(more, 100))
        }
        more()
      },
      true,
      until,
    )
  }
  for (let i = 0; i < 50; i++) {
    attack('unread answers', `${post(`${FUNCTIONS}/big/invocations`, 'Content-Length: 2')}{}`, undefined, false, until)
    attack('slow heads', `GET /ping HTTP/1.1\r\nHost: ${ADDRESS}\r\nX-Slow: `, undefined, true, until)
    attack('idle', '', undefined, true, until)
  }
  for (let i = 0; i < 10; i++) {
    attack('sent ahead', `GET /ping HTTP/1.1\r\nHost: ${ADDRESS}\r\n\r\n`.repeat(500), undefined, false, until)
    attack('wide heads', `GET /ping HTTP/1.1\r\nX-Wide: ${'x'.repeat(1_900_000)}`, undefined, true, until)
    attack(
      'extensions',
      `${post('/2020-01-01/extension/register', `Lambda-Extension-Name: e${i}\r\nContent-Length: 13`)}{"events":[]}`,
      undefined,
      true,
      until,
    )
    attack(
      'errors',
      post('/2018-06-01/runtime/invocation/none/response', 'Content-Length: 6000000'),
      (socket) => {
        for (let sent = 0; sent < 5; sent++) socket.write(MB)
      },
      true,
      until,
    )
  }
  const leaks = []
  while (Date.now() < until) {
    for (const [method, path, headers] of forbidden(account)) {
      if (Date.now() > until) break
      const status = await ask(method, path, headers)
      note('forbidden')
      if (status >= 200 && status < 400) leaks.push([status, method, path, JSON.stringify(headers)].join(' '))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return { counts, leaks: [...new Set(leaks)] }
}
