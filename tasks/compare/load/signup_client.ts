/** The person who signs up, over real HTTP. */

/** Longer than any subscriber takes: whoever waits so long has gone. */
const PATIENCE_MS = 15_000;

/** Signs `email` up at the API. Resolves with whether it was answered 201; never rejects. */
export async function signUp(apiUrl: string, email: string): Promise<boolean> {
  try {
    const response = await fetch(`${apiUrl}/users`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ nombre: "Juan Pérez", email }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await response.arrayBuffer();
    return response.status === 201;
  } catch {
    return false; // No answer is no signup: the ledger tells whether something was done all the same.
  }
}
