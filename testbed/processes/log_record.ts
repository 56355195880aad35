/** What this project's processes say in a record of their JSON log, as far as anybody asks. */
import { z } from "zod";

const logRecordSchema = z.looseObject({
  message: z.string(),
  level: z.string(),
  state: z.string().optional(),
  url: z.string().optional(),
  healthUrl: z.string().optional(),
  outcome: z.enum(["handled", "duplicate", "retried", "dead-lettered"]).optional(),
  event_id: z.string().optional(),
  attempt: z.number().optional(),
  delayMs: z.number().optional(),
  redelivered: z.boolean().optional(),
  memoryBytes: z.number().optional(),
  pid: z.number().optional(),
});

/** One record of a process's log. */
export type LogRecord = z.infer<typeof logRecordSchema>;

/** A line of a JSON log, or `undefined` where the line is something else. */
export function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return logRecordSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
