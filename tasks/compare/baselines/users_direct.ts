/**
 * The direct exchange of the second step. It is no part of the project's topology: only
 * `deno task compare` has it, on a broker of its own.
 */
export const USERS_DIRECT = "users_direct";
