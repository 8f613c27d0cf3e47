/**
 * A claim is a lease of the instance that made it. It has no time: it ends when it is settled or given back, or when its owner is known to be
 * dead. So a clock that jumps and a machine that is suspended end none.
 */

/**
 * `due_at` of what is claimed: it is not due, and the indexes by time find all claims in one place. Far enough (the year 6429), and as many bytes
 * as a time of today: a row that grows when it is claimed has its page split, which takes a fifth of a claim.
 */
export const NEVER_DUE = 2 ** 47 - 1
