/**
 * The connections of a server, of several servers together: how many there are, in all and of each peer, how many requests one sends ahead,
 * and what its client has not read of its answers.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Share, Transfer } from './budget.ts'
import { countAgainst } from './counted.ts'

/** How often answers are looked at, milliseconds. */
const LOOK_MS = 250

/** Unread bytes of a connection up to here are a matter of the number of connections: a reader may rest for long on a page of a log. */
const SMALL_BYTES = 64 * 1024

/** A busy client reads one answer after the other: none of them is blamed for less than this, milliseconds. */
const READER_WINDOW_MS = 2000

/** A peer with fewer connections gets one more whatever the others have. */
const FEW = 16

export interface ConnectionRules {
  /** Of all peers together. */
  readonly most: number
  readonly mostOfPeer: number
  /** Requests on one connection that were sent before earlier ones were answered. */
  readonly pipelined: number
  /** Whether one that is not in use, or sends its request slowly, makes place for a new one; else the new one is closed. */
  readonly replaces: boolean
}

/** Who connects: an address, a sandbox. */
export interface Peer {
  readonly share: Share
  connections: number
}

interface Connection {
  readonly socket: Socket
  readonly peer: Peer
  /** Requests that have no whole answer yet. */
  underWay: number
  /** Its latest answer under way. */
  last: ServerResponse | undefined
  /** Answers that wait for an earlier one. */
  ahead: ServerResponse[] | undefined
  /** When it was last in use; larger is later. */
  turn: number
  answer: Transfer | undefined
  /** Bytes that had gone to its client when `answer` began. */
  sentBefore: number
}

/**
 * Kept by connection, not as a set of the responses: a set makes itself a new table every few requests, V8 leaves the old one pointing to
 * it, and so from one that has grown old on, all of them survive with the requests they held. Without it the enqueue is 5 % faster.
 */
export class Connections {
  readonly #rules: ConnectionRules
  readonly #open = new Map<Socket, Connection>()
  #turn = 0
  #timer: NodeJS.Timeout | undefined
  /** Requests of all connections that have no whole answer yet. */
  requests = 0
  /** Called when there are none. */
  idle: (() => void) | undefined
  readonly #ended: (this: ServerResponse) => void

  constructor(rules: ConnectionRules) {
    this.#rules = rules
    const ended = (response: ServerResponse) => this.#answered(response)
    this.#ended = function (this: ServerResponse) {
      ended(this)
    }
  }

  get size(): number {
    return this.#open.size
  }

  /** The latest answer under way of each connection. */
  *lastAnswers(): Generator<ServerResponse> {
    for (const { last } of this.#open.values()) if (last !== undefined) yield last
  }

  /** `false`: there is no place for it, and it is closed. */
  accept(socket: Socket, peer: Peer): boolean {
    if (!this.#hasPlace(peer)) {
      socket.destroy()
      return false
    }
    peer.connections++
    const connection: Connection = {
      socket,
      peer,
      underWay: 0,
      last: undefined,
      ahead: undefined,
      turn: ++this.#turn,
      answer: undefined,
      sentBefore: 0,
    }
    this.#open.set(socket, connection)
    countAgainst(peer.share, socket, () => this.#lookAt(connection))
    socket.on('close', () => this.#remove(socket))
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref()
    return true
  }

  /** `false`: it was sent ahead of too many others, and its connection is closed. */
  begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#open.get(socket)
    if (connection === undefined) return true
    if (connection.underWay > 0) {
      if (connection.underWay > this.#rules.pipelined) {
        socket.destroy()
        return false
      }
      connection.ahead ??= []
      connection.ahead.push(response)
    }
    connection.underWay++
    connection.last = response
    this.requests++
    response.on('close', this.#ended)
    return true
  }

  /** Counts what clients have not read, and stops counting what they have. Called by a timer. */
  look(): void {
    for (const connection of this.#open.values()) {
      if (connection.underWay > 0 || connection.answer !== undefined) this.#lookAt(connection)
    }
  }

  #lookAt(connection: Connection): void {
    const { socket } = connection
    const unread = unreadOf(connection)
    if (unread <= SMALL_BYTES) {
      connection.answer?.close()
      connection.answer = undefined
      return
    }
    const sent = sentTo(socket)
    if (connection.answer === undefined) {
      connection.answer = connection.peer.share.open({
        size: unread,
        cut: () => socket.destroy(),
        windowMs: READER_WINDOW_MS,
      })
      connection.sentBefore = sent
    }
    connection.answer.holds(unread, sent - connection.sentBefore)
  }

  #answered(response: ServerResponse): void {
    const connection = this.#open.get(response.req.socket)
    if (connection !== undefined) {
      connection.turn = ++this.#turn
      if (--connection.underWay === 0) connection.last = connection.ahead = undefined
    }
    if (--this.requests === 0) this.idle?.()
  }

  #remove(socket: Socket): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    connection.peer.connections--
    connection.answer?.close()
    this.#open.delete(socket)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #hasPlace(peer: Peer): boolean {
    const { most, mostOfPeer, replaces } = this.#rules
    if (peer.connections >= mostOfPeer) return replaces && this.#closeOne(peer)
    if (this.#open.size < most) return true
    return (replaces && this.#closeOne(this.#largest())) || peer.connections < FEW
  }

  #largest(): Peer | undefined {
    let largest: Peer | undefined
    for (const { peer } of this.#open.values()) if (peer.connections > (largest?.connections ?? 0)) largest = peer
    return largest
  }

  /** Closes the connection of a peer that was not in use for longest; else the one that has been sending its request for longest. */
  #closeOne(peer: Peer | undefined): boolean {
    let unused: Connection | undefined
    let sending: Connection | undefined
    for (const connection of this.#open.values()) {
      if (connection.peer !== peer) continue
      if (connection.underWay === 0) {
        if (connection.turn < (unused?.turn ?? Number.POSITIVE_INFINITY)) unused = connection
      } else if (sending === undefined && connection.last?.req.complete === false) sending = connection
    }
    const victim = unused ?? sending
    if (victim === undefined) return false
    this.#remove(victim.socket)
    victim.socket.destroy()
    return true
  }
}

function unreadOf({ socket, ahead }: Connection): number {
  let bytes = socket.writableLength
  // One that has its turn writes to the socket.
  for (const response of ahead ?? []) if (response.socket === null) bytes += response.writableLength
  return bytes
}

/** What the kernel has taken. Node counts a piece as written only when it has gone whole, and an answer is one piece. */
function sentTo(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { bytesWritten?: number; writeQueueSize?: number } | null }
  const { bytesWritten, writeQueueSize } = handle ?? {}
  if (bytesWritten === undefined || writeQueueSize === undefined) return socket.bytesWritten - socket.writableLength
  return bytesWritten - writeQueueSize
}
