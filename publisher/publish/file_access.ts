/** Which files the publisher may read: any, until it has opened the one that a person named. */

/**
 * Gives up the right to read every file. What is open stays open; what else the permission set names
 * stays readable: where the broker is, its certificates, and this role's own password.
 *
 * n.b. revoking a path takes away the grants that it lies in, and no others (tried on Deno 2.9, held
 * by tests/integration/sandbox_test.ts): so the set names the root, and not `true`.
 */
export async function dropFileAccess(): Promise<void> {
  await Deno.permissions.revoke({ name: "read", path: "/" });
}
