/** Account operations. */
import type { Handler } from './services.ts'

export const getAccountSettings: Handler = async ({ caller }, { control }) => {
  const { limit, usage } = await control.account.settings(caller.account, caller.region)
  return {
    AccountLimit: {
      TotalCodeSize: limit.totalCodeSize,
      CodeSizeUnzipped: limit.codeSizeUnzipped,
      CodeSizeZipped: limit.codeSizeZipped,
      ConcurrentExecutions: limit.concurrentExecutions,
      UnreservedConcurrentExecutions: limit.unreservedConcurrentExecutions,
    },
    AccountUsage: { TotalCodeSize: usage.totalCodeSize, FunctionCount: usage.functionCount },
  }
}
