/** What is wrong with data, in words for a person. */
import type { z } from "zod";

/**
 * The problems of a failed parse in one line, such as `email must not be empty; nombre is missing`.
 * n.b. parse with `reportInput`, or what is missing and what has a wrong type read alike.
 */
export function describeIssues(error: z.ZodError): string {
  return fieldIssues(error).map(({ field, reason }) => `${field} ${reason}`.trim()).join("; ");
}

/** What is wrong with one field, in words that follow its name, such as `is missing`. */
export interface FieldIssue {
  readonly field: string;
  readonly reason: string;
}

/** The problems of a failed parse, each with its field. The same n.b. as for {@link describeIssues}. */
export function fieldIssues(error: z.ZodError): FieldIssue[] {
  return error.issues.map((issue) => ({
    field: issue.path.join("."),
    reason: issue.code === "invalid_type"
      ? issue.input === undefined
        ? "is missing"
        : `must be ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`
      : issue.message,
  }));
}
