/** Off the event loop: 50 MiB take it a tenth of a second. */
export async function sha256(data: Uint8Array): Promise<Buffer> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', data as Uint8Array<ArrayBuffer>))
}
