/** The kinds of fields that events share. */
import { z } from "zod";

const noControlCharacters = (text: string) => !/\p{Cc}/u.test(text);
const wellFormed = (text: string) => text.isWellFormed();

/** A text of 1 to `max` characters (code points), without control characters. */
export function shortText(max: number): z.ZodString {
  return z.string()
    .min(1, { error: "must not be empty", abort: true })
    .refine((text) => [...text].length <= max, { error: `must have at most ${max} characters` })
    .refine(noControlCharacters, { error: "must not contain control characters" })
    .refine(wellFormed, { error: "must be well-formed Unicode" });
}

/** The id of a user, as written and as read. */
export const userIdSchema: z.ZodString = shortText(200);
