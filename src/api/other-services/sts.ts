/** sts:GetCallerIdentity, which tools call before their real work; the rest of STS is refused by name. */
import { LambdaException } from '../../lambda/errors.ts'
import type { Identity } from '../../lambda/role-session.ts'
import type { HttpAnswer } from '../http/http-answer.ts'
import { escaped, type QueryRequest, queryError, xml } from './query.ts'

const VERSION = '2011-06-15'
const NAMESPACE = `https://sts.amazonaws.com/doc/${VERSION}/`

export function isSts({ version }: QueryRequest): boolean {
  return version === VERSION
}

/** @param identity asked only for the operation that needs it; throws LambdaException where the access key is refused */
export function answerSts({ action }: QueryRequest, identity: () => Identity, requestId: string): HttpAnswer {
  if (action !== 'GetCallerIdentity') {
    const message = `Hearth has no sts:${action.slice(0, 100)}. It answers sts:GetCallerIdentity.`
    return stsError({ code: 'InvalidAction', message, status: 400 }, requestId)
  }
  let caller: Identity
  try {
    caller = identity()
  } catch (error) {
    if (!(error instanceof LambdaException)) throw error
    return stsError({ code: 'InvalidClientTokenId', message: error.message, status: 403 }, requestId)
  }
  const { account, arn, userId } = caller
  const members = `<Arn>${escaped(arn)}</Arn><UserId>${escaped(userId)}</UserId><Account>${account}</Account>`
  return xml(
    `<GetCallerIdentityResponse xmlns="${NAMESPACE}"><GetCallerIdentityResult>${members}</GetCallerIdentityResult>` +
      `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
    200,
    requestId,
  )
}

export function stsError(error: Parameters<typeof queryError>[0], requestId: string): HttpAnswer {
  return queryError(error, requestId, NAMESPACE)
}
