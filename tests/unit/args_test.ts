import assert from "node:assert/strict";
import { UsageError } from "@ecomarket/shared/base/errors";
import { numberBetween, parseArguments, wholeNumber } from "@ecomarket/shared/process/args";

const OPTIONS = { nombre: { type: "string" }, json: { type: "boolean" } } as const;

function complaint(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof UsageError);
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  throw new assert.AssertionError({ message: "it was understood" });
}

Deno.test("parseArguments() reads values, flags and words", () => {
  const { values, positionals } = parseArguments(
    ["--nombre", "José Ñáñez", "--json", "usuarios.csv"],
    OPTIONS,
    1,
  );
  assert.equal(values.nombre, "José Ñáñez");
  assert.equal(values.json, true);
  assert.deepEqual(positionals, ["usuarios.csv"]);
});

Deno.test("parseArguments() always understands --help and -h", () => {
  assert.equal(parseArguments(["--help"], OPTIONS).values.help, true);
  assert.equal(parseArguments(["-h"], {}).values.help, true);
  assert.equal(parseArguments([], OPTIONS).values.help, undefined);
});

Deno.test("parseArguments() refuses what it does not know, by name", () => {
  assert.match(complaint(() => parseArguments(["--nmobre", "x"], OPTIONS)), /--nmobre/);
  assert.match(complaint(() => parseArguments(["--nombre"], OPTIONS)), /--nombre/);
  assert.match(complaint(() => parseArguments(["--json=si"], OPTIONS)), /--json/);
});

Deno.test("parseArguments() takes a number below 0 for a value, and another option for none", () => {
  assert.equal(parseArguments(["--nombre", "-3"], OPTIONS).values.nombre, "-3");
  assert.deepEqual(parseArguments(["--", "--nombre", "-3"], OPTIONS, 2).positionals, [
    "--nombre",
    "-3",
  ]);
  assert.equal(
    complaint(() => parseArguments(["--nombre", "--json"], OPTIONS)),
    "Option '--nombre' needs a value",
  );
  assert.match(complaint(() => parseArguments(["--json", "-3"], OPTIONS)), /-3/);
});

Deno.test("parseArguments() refuses a word too many, and takes a dash after -- for a word", () => {
  assert.equal(
    complaint(() => parseArguments(["a", "b"], OPTIONS, 1)),
    "Unexpected argument: b",
  );
  assert.deepEqual(parseArguments(["--", "-x"], OPTIONS, 1).positionals, ["-x"]);
});

Deno.test("wholeNumber() reads a number within its bounds, both included", () => {
  const bounds = { min: 1, max: 10 };
  assert.equal(wholeNumber("limit", "1", 5, bounds), 1);
  assert.equal(wholeNumber("limit", "10", 5, bounds), 10);
  assert.equal(wholeNumber("limit", "007", 5, bounds), 7);
  assert.equal(wholeNumber("limit", undefined, 5, bounds), 5);
  assert.equal(wholeNumber("limit", "0", 5), 0);
});

Deno.test("wholeNumber() refuses anything else, and says what it got", () => {
  for (const text of ["", "0", "11", "-1", "1.5", "1e1", "0x1", " 1", "diez", "9".repeat(30)]) {
    assert.equal(
      complaint(() => wholeNumber("limit", text, 5, { min: 1, max: 10 })),
      `--limit must be a whole number from 1 to 10, got "${text}"`,
    );
  }
});

Deno.test("wholeNumber() names no upper bound that nobody reaches", () => {
  assert.equal(
    complaint(() => wholeNumber("limit", "-3", 5, { min: 1 })),
    '--limit must be a whole number from 1 up, got "-3"',
  );
});

Deno.test("numberBetween() takes decimals in its range, and names the option otherwise", () => {
  const range = { min: 0, max: 1 };
  assert.equal(numberBetween("failure-rate", "0.05", 1, range), 0.05);
  assert.equal(numberBetween("failure-rate", undefined, 0.5, range), 0.5);
  for (const text of ["5", "-1", "0,05", "1e-2", "x", "", "0x1", " 1"]) {
    assert.throws(
      () => numberBetween("failure-rate", text, 1, range),
      { name: "UsageError", message: /^--failure-rate must be a number from 0 to 1, got / },
      text,
    );
  }
});
