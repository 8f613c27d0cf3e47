/** Requests about functions as the control plane takes them apart. */
import type { CreateFunctionRequest, UpdateFunctionConfigurationRequest } from '../requests.ts'

/** The name of the function comes apart, because it may be an ARN. */
export type CreationInput = Omit<CreateFunctionRequest, 'functionName'>

/** Settings that both CreateFunction and UpdateFunctionConfiguration take. */
export type SettingsInput = Omit<UpdateFunctionConfigurationRequest, 'revisionId'>
