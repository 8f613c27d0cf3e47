/** What the control plane needs of S3; `code/s3-objects.ts` implements it and `host/` hands it over. */

export interface S3ObjectName {
  readonly bucket: string
  readonly key: string
  /** S3ObjectVersion. */
  readonly version?: string
}

export interface S3Objects {
  /**
   * The whole object, in memory while `use` runs.
   * @param region where the host's environment names none
   * @throws LambdaException InvalidParameterValueException: S3's own refusal, S3 not configured or not reachable, more bytes than a
   * deployment package can have; TooManyRequestsException: no room for it came free in time
   */
  get<T>(object: S3ObjectName, region: string, use: (bytes: Uint8Array) => Promise<T>): Promise<T>
}
