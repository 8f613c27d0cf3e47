import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { main } from '../../../src/cli/main.ts'

describe('hearth keys', () => {
  let data: string
  let out = ''
  let err = ''

  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'hearth-cli-keys-'))
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text)
      return true
    })
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      err += String(text)
      return true
    })
  })
  afterEach(() => {
    vi.restoreAllMocks()
    rmSync(data, { recursive: true })
  })

  async function hearth(...args: string[]): Promise<{ status: number; out: string; err: string }> {
    out = err = ''
    const status = await main(['keys', ...args, '--data', data])
    return { status, out: out.trim(), err }
  }
  const state = async () =>
    (JSON.parse((await hearth('list', '--json')).out) as { state: string }[]).map((key) => key.state)

  it('refuses at once a data folder that cannot be', async () => {
    out = err = ''
    expect(await main(['keys', 'create', '--data', '/proc/hearth/data'])).toBe(1)
    expect(err).toContain('/proc/hearth')
  })

  it('makes keys for the account and region of the host and takes them through their states', async () => {
    const { out: arn } = await hearth('create', '--region', 'eu-west-1', '--account-id', '111122223333')
    expect(arn).toMatch(/^arn:aws:kms:eu-west-1:111122223333:key\/[0-9a-f-]{36}$/)
    expect(await state()).toEqual(['Enabled'])
    expect(await hearth('disable', arn)).toMatchObject({ status: 0, out: `${arn} Disabled` })
    const id = arn.split('/')[1]!
    expect((await hearth('delete', id, '--days', '7')).out).toContain('enable')
    expect(await state()).toEqual(['PendingDeletion'])
    await hearth('enable', id)
    expect(await state()).toEqual(['Enabled'])
    expect((await hearth('delete', id, '--now')).status).toBe(0)
    expect(await state()).toEqual([])
  })

  it('says what is wrong with a key that is not there, a number of days and a damaged file', async () => {
    const unknown = await hearth(
      'disable',
      'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000',
    )
    expect(unknown.status).toBe(1)
    expect(unknown.err).toMatch(/does not exist\n.*hearth keys list/)
    expect((await hearth('delete', 'x', '--days', '6')).err).toContain('It must be 7 to 30')
    const { out: arn } = await hearth('create')
    writeFileSync(join(data, 'keys', `${arn.split('/')[1]}.json`), 'damaged')
    expect((await hearth()).out).toMatch(/Unreadable/)
  })
})
